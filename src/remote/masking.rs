//! Finds secrets in a text, in whatever form the text repeats them.
//!
//! The text is looked at through several pairs of glasses: as it is; with escapes undone (`%2B`, `\u003c`, `\"`, `&#34;`, `&quot;`), of one kind and
//! of all, once and twice, with `+` as itself and as a blank; and each run of letters that may be base64 or hex, decoded at every alignment. A secret that shows
//! through any of them is found where it stands in the text. So nobody has to list the forms, mixtures included.

use std::ops::Range;

/// A secret shorter than this is looked for as text only: a few bytes turn up in decoded noise by chance.
const SHORTEST_ENCODED: usize = 4;

/// Of a long secret, any piece of this size gives it away: an answer may repeat it cut off.
const PIECE: usize = 16;

/// The places of a text that repeat one of the secrets, in order and apart from each other.
pub(super) fn places<'a>(text: &str, secrets: impl Iterator<Item = &'a [u8]>) -> Vec<Range<usize>> {
    let secrets: Vec<&[u8]> = secrets.filter(|secret| !secret.is_empty()).collect();
    if secrets.is_empty() || text.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let plain = View::of(text);
    plain.look(&secrets, &mut found);
    for escapes in ESCAPES {
        let Some(once) = plain.unescaped(escapes) else { continue };
        once.look(&secrets, &mut found);
        // A JSON text inside of another one, a form in a page, …
        for again in ESCAPES {
            if let Some(twice) = once.unescaped(again) {
                twice.search(&secrets, &mut found);
            }
        }
    }
    merged(text, found)
}

/// Which escapes are undone, by the letters that they begin with: one kind at a time, as a secret may hold what looks like an escape of another kind,
/// and all at once. In a form, `+` is a blank.
const ESCAPES: [&[u8]; 5] = [b"%", b"%+", b"\\", b"&", b"%\\&"];

/// Bytes, and where in the text each comes from.
struct View {
    bytes: Vec<u8>,
    from: Vec<Range<usize>>,
}

impl View {
    fn new() -> View {
        View { bytes: Vec::new(), from: Vec::new() }
    }

    fn of(text: &str) -> View {
        View { bytes: text.as_bytes().to_vec(), from: (0..text.len()).map(|at| at..at + 1).collect() }
    }

    fn push(&mut self, byte: u8, from: Range<usize>) {
        self.bytes.push(byte);
        self.from.push(from);
    }

    /// The same with escapes undone; nothing if there is none.
    fn unescaped(&self, escapes: &[u8]) -> Option<View> {
        if !self.bytes.iter().any(|byte| escapes.contains(byte)) {
            return None;
        }
        let mut view = View::new();
        let mut at = 0;
        while let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (letters, length) = match rest[0] {
                byte if !escapes.contains(&byte) => (vec![byte], 1),
                b'%' => percent(rest),
                b'\\' => backslash(rest),
                b'&' => entity(rest),
                _ => (vec![b' '], 1),
            };
            let from = self.from[at].start..self.from[at + length - 1].end;
            for letter in letters {
                view.push(letter, from.clone());
            }
            at += length;
        }
        Some(view)
    }

    /// Looks for the secrets as they are, in base64 and in hex.
    fn look(&self, secrets: &[&[u8]], found: &mut Vec<Range<usize>>) {
        self.search(secrets, found);
        for run in runs(&self.bytes, |byte| base64(byte).is_some()) {
            let mut inside = Vec::new();
            for offset in 0..4 {
                self.decoded_base64(run.start + offset..run.end).search_encoded(secrets, &mut inside);
            }
            // The padding goes with what it pads.
            let padding = self.bytes.iter().skip(run.end).take(2).take_while(|byte| **byte == b'=').count();
            let last = self.from.get(run.end - 1).map_or(0, |from| from.end);
            let padded = self.from.get(run.end + padding - 1).map_or(last, |from| from.end);
            found.extend(inside.into_iter().map(|place| place.start..if place.end == last { padded } else { place.end }));
        }
        for run in runs(&self.bytes, |byte| byte.is_ascii_hexdigit()) {
            for offset in 0..2 {
                self.decoded_hex(run.start + offset..run.end).search_encoded(secrets, found);
            }
        }
    }

    /// Where in the text some of the bytes come from.
    fn origin(&self, first: usize, last: usize) -> Range<usize> {
        let start = self.from.get(first).map_or(0, |from| from.start);
        start..self.from.get(last).map_or(start, |from| from.end)
    }

    /// A run of base64 letters, decoded.
    fn decoded_base64(&self, run: Range<usize>) -> View {
        let mut view = View::new();
        let (mut bits, mut count) = (0_u32, 0_u32);
        for at in run {
            let Some(six) = self.bytes.get(at).copied().and_then(base64) else { break };
            bits = (bits << 6) | u32::from(six);
            count += 6;
            if count >= 8 {
                count -= 8;
                let byte = u8::try_from((bits >> count) & 0xff).unwrap_or_default();
                // A byte lies in this letter and in the one before.
                view.push(byte, self.origin(at.saturating_sub(1), at));
            }
        }
        view
    }

    /// A run of hex digits, decoded.
    fn decoded_hex(&self, run: Range<usize>) -> View {
        let mut view = View::new();
        for at in run.step_by(2) {
            let digit = |at: usize| char::from(*self.bytes.get(at)?).to_digit(16);
            let (Some(high), Some(low)) = (digit(at), digit(at + 1)) else { break };
            view.push(u8::try_from(high * 16 + low).unwrap_or_default(), self.origin(at, at + 1));
        }
        view
    }

    fn search_encoded(&self, secrets: &[&[u8]], found: &mut Vec<Range<usize>>) {
        let long: Vec<&[u8]> = secrets.iter().copied().filter(|secret| secret.len() >= SHORTEST_ENCODED).collect();
        self.search(&long, found);
    }

    fn search(&self, secrets: &[&[u8]], found: &mut Vec<Range<usize>>) {
        for secret in secrets {
            if secret.len() < 2 * PIECE {
                for at in positions(&self.bytes, secret) {
                    self.note(at..at + secret.len(), found);
                }
                continue;
            }
            // Whatever piece of twice the size is repeated, it holds one of these whole.
            for (number, piece) in secret.chunks_exact(PIECE).enumerate() {
                for at in positions(&self.bytes, piece) {
                    let start = number * PIECE;
                    let before = std::iter::zip(self.bytes[..at].iter().rev(), secret[..start].iter().rev());
                    let before = before.take_while(|(left, right)| left == right).count();
                    let after = std::iter::zip(&self.bytes[at..], &secret[start..]);
                    let after = after.take_while(|(left, right)| left == right).count();
                    self.note(at - before..at + after, found);
                }
            }
        }
    }

    fn note(&self, place: Range<usize>, found: &mut Vec<Range<usize>>) {
        if let (Some(first), Some(last)) = (self.from.get(place.start), self.from.get(place.end.saturating_sub(1))) {
            found.push(first.start..last.end);
        }
    }
}

/// Where a few bytes stand among others.
fn positions<'a>(bytes: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = usize> + use<'a> {
    let first = wanted.first().copied();
    let end = (bytes.len() + 1).saturating_sub(wanted.len().max(1));
    (0..end).filter(move |at| bytes.get(*at).copied() == first && bytes[*at..].starts_with(wanted))
}

/// The runs of bytes of a kind that are long enough to hide something.
fn runs(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for at in 0..=bytes.len() {
        if bytes.get(at).is_some_and(|byte| belongs(*byte)) {
            continue;
        }
        if at > start + SHORTEST_ENCODED {
            found.push(start..at);
        }
        start = at + 1;
    }
    found
}

fn base64(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

fn utf8(number: u32) -> Option<Vec<u8>> {
    Some(char::from_u32(number)?.to_string().into_bytes())
}

/// `%2B`
fn percent(rest: &[u8]) -> (Vec<u8>, usize) {
    match rest.get(1..3).and_then(|digits| u8::try_from(number(digits, 16)?).ok()) {
        Some(byte) => (vec![byte], 3),
        None => (vec![b'%'], 1),
    }
}

/// `\u003c`, `\"`, `\n`
fn backslash(rest: &[u8]) -> (Vec<u8>, usize) {
    let unit = |at: usize| match rest.get(at..at + 2)? {
        b"\\u" => number(rest.get(at + 2..at + 6)?, 16),
        _ => None,
    };
    if let Some(high) = unit(0) {
        if let (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) = (high, unit(6)) {
            let whole = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            return (utf8(whole).unwrap_or_default(), 12);
        }
        return (utf8(high).unwrap_or_default(), 6);
    }
    match rest.get(1) {
        Some(b'n') => (vec![b'\n'], 2),
        Some(b'r') => (vec![b'\r'], 2),
        Some(b't') => (vec![b'\t'], 2),
        Some(other @ (b'"' | b'\\' | b'/' | b'\'')) => (vec![*other], 2),
        _ => (vec![b'\\'], 1),
    }
}

/// `&#34;`, `&#x22;`, `&quot;`
fn entity(rest: &[u8]) -> (Vec<u8>, usize) {
    let alone = (vec![b'&'], 1);
    let Some(end) = rest.iter().take(10).position(|byte| *byte == b';') else { return alone };
    let letters = match &rest[1..end] {
        b"quot" => Some(vec![b'"']),
        b"amp" => Some(vec![b'&']),
        b"lt" => Some(vec![b'<']),
        b"gt" => Some(vec![b'>']),
        b"apos" => Some(vec![b'\'']),
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16).and_then(utf8),
        [b'#', digits @ ..] => number(digits, 10).and_then(utf8),
        _ => None,
    };
    letters.map_or(alone, |letters| (letters, end + 1))
}

/// The places in order, each with whole letters, those that overlap as one.
fn merged(text: &str, mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.sort_by_key(|place| (place.start, place.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for mut place in found {
        while !text.is_char_boundary(place.start) {
            place.start -= 1;
        }
        while !text.is_char_boundary(place.end) {
            place.end += 1;
        }
        match merged.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => merged.push(place),
        }
    }
    merged
}
