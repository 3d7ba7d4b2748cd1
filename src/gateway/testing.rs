//! A device for tests that plays one written conversation.
//!
//! The text is what the device prints. `«text»` is what it expects to be typed, and echoes; `«^C»` is Ctrl-C, `« »` a key of the
//! pager, `«»` at the end Enter or nothing. `HANGUP` closes the line, `⏳` is a minute of silence, `⌛` a fifth of a second, and a packet
//! ends at `¦`.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::shell::{Line, Timing};

/// Shorter times, in the same proportions.
pub(super) fn quick() -> Timing {
    Timing { silence: Duration::from_secs(20), total: Duration::from_mins(1), ..Timing::default() }
}

/// A device that plays one conversation.
pub(super) struct Device {
    script: String,
    chunk: usize,
    echo: bool,
    /// The time between two packets, and from what is typed to the answer.
    gap: Duration,
    round_trip: Duration,
    heard: Heard,
}

/// What was typed on a device, as far as it was not what the conversation says: `Err` tells the first difference.
#[derive(Debug, Clone)]
pub(super) struct Heard(Arc<Mutex<Result<Vec<String>, String>>>);

impl Heard {
    /// Everything that was typed, or the first thing that should not have been.
    pub(super) fn all(&self) -> Result<Vec<String>, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn typed(&self, text: String) {
        if let Ok(lines) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            lines.push(text);
        }
    }

    fn wrong(&self, text: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Err(text);
    }
}

impl Device {
    pub(super) fn saying(script: &str) -> Device {
        Device {
            script: script.to_owned(),
            chunk: 100_000,
            echo: true,
            gap: Duration::ZERO,
            round_trip: Duration::ZERO,
            heard: Heard(Arc::new(Mutex::new(Ok(Vec::new())))),
        }
    }

    pub(super) fn in_chunks_of(self, chunk: usize) -> Device {
        Device { chunk, ..self }
    }

    /// Puts the device at the end of a link with this time between two packets, and with this round trip.
    pub(super) fn slowly(self, gap: Duration, round_trip: Duration) -> Device {
        Device { gap, round_trip, ..self }
    }

    pub(super) fn without_echo(self) -> Device {
        Device { echo: false, ..self }
    }

    pub(super) fn heard(&self) -> Heard {
        self.heard.clone()
    }

    /// Starts to play, and gives the line to it.
    pub(super) fn line(self) -> Box<dyn Line> {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move {
            // A client that hangs up ends the conversation.
            let _ = self.play(theirs).await;
        });
        Box::new(Pipe(Some(ours)))
    }

    async fn play(self, mut line: DuplexStream) -> io::Result<()> {
        let mut rest = self.script.as_str();
        loop {
            let (print, after) = rest.split_once('«').unwrap_or((rest, ""));
            let (print, hangup) = print.strip_suffix("HANGUP").map_or((print, false), |print| (print, true));
            for (minutes, print) in print.split('⏳').enumerate() {
                if minutes > 0 {
                    tokio::time::sleep(Duration::from_mins(1)).await;
                }
                for (moments, print) in print.split('⌛').enumerate() {
                    if moments > 0 {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                    for packet in print.replace('\n', "\r\n").split('¦') {
                        for chunk in packet.as_bytes().chunks(self.chunk) {
                            line.write_all(chunk).await?;
                            self.breathe().await;
                        }
                    }
                }
            }
            if hangup {
                return Ok(());
            }
            let expected = after.split_once('»');
            let typed = read_line(&mut line, expected.is_some_and(|(expected, _)| expected == " ")).await?;
            self.heard.typed(typed.clone());
            let Some((expected, after)) = expected else {
                self.heard.wrong(format!("typed {typed:?} behind the end"));
                continue;
            };
            if typed != expected {
                self.heard.wrong(format!("typed {typed:?} instead of {expected:?}"));
                // Nothing more is said: the client runs into its time limit, and the test reads why.
                continue;
            }
            if !self.round_trip.is_zero() {
                tokio::time::sleep(self.round_trip).await;
            }
            if self.echo && typed != " " {
                line.write_all(typed.as_bytes()).await?;
            }
            self.breathe().await;
            rest = if self.echo { after } else { after.strip_prefix('\n').unwrap_or(after) };
        }
    }
}

impl Device {
    /// Lets the other side take a packet before the next one comes.
    async fn breathe(&self) {
        if self.gap.is_zero() {
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
        } else {
            tokio::time::sleep(self.gap).await;
        }
    }
}

async fn read_line(line: &mut DuplexStream, key: bool) -> io::Result<String> {
    let mut typed = Vec::new();
    loop {
        match line.read_u8().await? {
            b'\n' => break,
            3 => return Ok("^C".to_owned()),
            b' ' if key => return Ok(" ".to_owned()),
            byte => typed.push(byte),
        }
    }
    Ok(String::from_utf8_lossy(&typed).into_owned())
}

struct Pipe(Option<DuplexStream>);

#[async_trait]
impl Line for Pipe {
    async fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(stream) = &mut self.0 else { return Ok(None) };
        let mut buffer = vec![0; 4096];
        let length = stream.read(&mut buffer).await?;
        buffer.truncate(length);
        Ok((length > 0).then_some(buffer))
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Some(stream) => stream.write_all(bytes).await,
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    async fn close(&mut self) {
        self.0 = None;
    }
}
