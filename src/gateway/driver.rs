//! Walks a declared dialog, from the main prompt back to the main prompt.
//!
//! Answers are looked up by the words of the question, among those of the section that is being answered. Nothing is typed that the
//! dialog does not contain. What nobody declared, what was refused and what was never asked ends the dialog: a refusal with the
//! device's words, the rest with the conversation (without its secrets).

use std::cmp::Reverse;
use std::collections::VecDeque;

use super::dialog::{Answer, Dialog, Reply, Said, Section, Told};
use super::level::{self, Notice, Offer};
use super::refusal;
use super::settings::Level;
use super::shell::{Limit, Next, Shell, Shown, Way};
use super::stop::{self, Asks, Ending, Label, Menu, Question, Stop, Turn};
use crate::remote::{Error, Kind};

/// More turns than any dialog takes: two questions that ask each other's turn would never end.
const MOST_TURNS: usize = 400;

/// What an indentation is typed as: a tab is no text to the device.
const INDENTATION: &str = "    ";

/// Walks a dialog.
pub(super) async fn walk(shell: &mut Shell, dialog: &Dialog, level: &Level) -> Result<Said, Error> {
    let dialog = checked(dialog)?;
    shell.begin().await?;
    let mut secret = false;
    for answer in dialog.sections.iter().flat_map(|section| &section.answers) {
        match &answer.reply {
            Reply::Script(lines) => shell.transcript().hide_script(lines),
            Reply::Text(text) | Reply::Key(text) if answer.secret => shell.transcript().hide(text),
            _ => continue,
        }
        secret = true;
    }
    let mut said = Walk::new(shell, &dialog, level).run().await?;
    if secret {
        said.opening = shell.transcript().masked(&said.opening);
        said.after = said.after.iter().map(|text| shell.transcript().masked(text)).collect();
    }
    Ok(said)
}

/// Walks a dialog that stages nothing, in which a message is pasted and what the device makes of it is printed, perhaps over several questions. What
/// is printed behind the message is a report: no word in it is a refusal. It comes as it is; only errors hide what the message says.
pub(super) async fn report(shell: &mut Shell, dialog: &Dialog, level: &Level) -> Result<Vec<Told>, Error> {
    let dialog = checked(dialog)?;
    shell.begin().await?;
    for answer in dialog.sections.iter().flat_map(|section| &section.answers) {
        if let Reply::Script(lines) = &answer.reply {
            shell.transcript().hide_message(lines);
        }
    }
    let mut walk = Walk::new(shell, &dialog, level);
    walk.told = Some(Vec::new());
    walk.run().await?;
    Ok(walk.told.unwrap_or_default())
}

/// Refuses a text that would end a line, steer the terminal, or begin a second command.
pub(super) fn check_command(command: &str) -> Result<(), Error> {
    check_text("the command", command)?;
    if command.contains([';', '|', '`']) {
        let message =
            format!("The command {command:?} contains a character that would begin another command. Nothing was typed.");
        return Err(Error::new(Kind::Invalid, message));
    }
    Ok(())
}

fn check_text(what: &str, text: &str) -> Result<(), Error> {
    match text.chars().find(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        None => Ok(()),
        Some(c) => {
            let message = format!(
                "A value that would be typed on the gateway ({what}) contains the control character {}. Nothing was typed.",
                c.escape_unicode()
            );
            Err(Error::new(Kind::Invalid, message).hint("Remove the line break or control character from the value."))
        }
    }
}

/// Checks all that may be typed, and turns the indentation of scripts into blanks.
fn checked(dialog: &Dialog) -> Result<Dialog, Error> {
    let mut dialog = dialog.clone();
    check_command(&dialog.command)?;
    for section in &mut dialog.sections {
        section.choices.iter().try_for_each(|choice| check_text("a menu choice", choice))?;
        for answer in &mut section.answers {
            let about = format!("the answer {}", about(answer));
            match &mut answer.reply {
                Reply::Text(text) | Reply::Key(text) => check_text(&about, text)?,
                Reply::Script(lines) => {
                    for line in lines {
                        let text = line.trim_start_matches('\t');
                        let tabs = line.len() - text.len();
                        *line = format!("{}{text}", INDENTATION.repeat(tabs));
                        check_text("a line of the script", line)?;
                        if line.trim() == "." {
                            let message = "A line of the script is a single dot, which would end it. Nothing was typed.";
                            return Err(Error::new(Kind::Invalid, message));
                        }
                    }
                }
                Reply::YesNo(_) | Reply::Pick(_) | Reply::PickBy(_) | Reply::PickSome(_) | Reply::Keep => {}
            }
        }
    }
    Ok(dialog)
}

/// Names an answer by its question.
fn about(answer: &Answer) -> String {
    match (&answer.reply, answer.words.is_empty()) {
        (Reply::Key(_), _) => "which entry is meant".to_owned(),
        (Reply::Script(_), _) => "to the request for a script".to_owned(),
        (_, true) => "to a question without words".to_owned(),
        (_, false) => format!("to the question with the words {:?}", answer.words.join(" ")),
    }
}

/// What to do at a question.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    /// Type this answer's line.
    Line(usize, String),
    /// Type this answer's lines and end them.
    Lines(usize),
    /// No answer fits.
    Unknown,
}

/// A dialog on its way.
struct Walk<'a> {
    shell: &'a mut Shell,
    dialog: &'a Dialog,
    level: &'a Level,
    /// The section that is being answered.
    at: usize,
    /// Which of its answers were given.
    given: Vec<bool>,
    /// The question that was answered last, if nothing else was typed since.
    last: Option<Question>,
    /// The yes/no question that was answered last in this section, in lower case.
    subject: String,
    /// Lines that are still to be typed, one per prompt.
    queue: VecDeque<String>,
    /// All is said and done: on the way up.
    rising: bool,
    /// The menu did not offer an optional choice: what stands behind it is left out.
    cut: bool,
    /// The names that this dialog itself brings, in lower case.
    names: Vec<String>,
    /// What was printed since the script was typed, where that is a report.
    told: Option<Vec<Told>>,
}

impl<'a> Walk<'a> {
    fn new(shell: &'a mut Shell, dialog: &'a Dialog, level: &'a Level) -> Walk<'a> {
        let mut walk = Walk {
            shell,
            dialog,
            level,
            at: 0,
            given: Vec::new(),
            last: None,
            subject: String::new(),
            queue: VecDeque::new(),
            rising: false,
            cut: false,
            names: names(dialog),
            told: None,
        };
        walk.enter(0);
        walk
    }

    fn enter(&mut self, section: usize) {
        self.at = section;
        self.given = vec![false; self.dialog.sections.get(section).map_or(0, |section| section.answers.len())];
        self.last = None;
        self.subject.clear();
        self.queue.clear();
    }

    fn answers(&self) -> &'a [Answer] {
        self.dialog.sections.get(self.at).map_or(&[], |section| section.answers.as_slice())
    }

    fn next_section(&self) -> Option<&'a Section> {
        self.dialog.sections.get(self.at + 1)
    }

    /// What may come next. Whoever chose from a menu comes back to a menu, and leaves it by Enter: a main prompt before that may be a row
    /// of what the device prints.
    fn next(&self) -> Next {
        let takes_lines = |answer: &Answer| matches!(answer.reply, Reply::Script(_) | Reply::Text(_));
        if self.rising || self.dialog.sections.len() < 2 {
            Next::Prompt
        } else if self.answers().iter().any(takes_lines) {
            Next::Lines
        } else {
            Next::Question
        }
    }

    async fn run(&mut self) -> Result<Said, Error> {
        let mut said = Said { opening: String::new(), after: vec![String::new(); self.dialog.sections.len()] };
        self.shell.type_line(&self.dialog.command, Shown::Plain).await?;
        let mut turns = 0;
        loop {
            let limit = Limit { next: self.next(), ..self.shell.patience() };
            let turn = self.shell.turn(limit).await?;
            let first = turns == 0;
            turns += 1;
            if first {
                said.opening.clone_from(&turn.said);
            }
            if turns > MOST_TURNS {
                let message = format!("The dialog of {:?} does not come to an end.", self.dialog.command);
                return Err(self.shell.unexpected(&turn.stop, message).await);
            }
            let reports = self.told.is_some() && self.has_typed_script();
            if let Some(told) = self.told.as_mut().filter(|_| reports) {
                let asked = if turn.stop == Stop::Prompt { String::new() } else { turn.stop.words() };
                told.push(Told { said: turn.said.clone(), asked });
            } else if let Some(error) = refusal::find(&turn) {
                return Err(self.refuse(error, &turn.stop, Way::Up).await);
            }
            if let Stop::Prompt | Stop::Menu(_) = turn.stop
                && !self.rising
                && !first
                && let Some(after) = said.after.get_mut(self.at)
            {
                after.clone_from(&turn.said);
                if let Some(error) = self.silent(&turn.said).or_else(|| self.invalid_script(&turn.said)).filter(|_| !reports) {
                    return Err(self.refuse(error, &turn.stop, Way::Up).await);
                }
            }
            match &turn.stop {
                Stop::Prompt => {
                    self.finished(&turn).await?;
                    said.after.truncate(self.at + 1);
                    self.shell.end();
                    return Ok(said);
                }
                Stop::Menu(menu) => self.at_menu(menu, &turn.stop).await?,
                Stop::Question(question) => self.at_question(question, &turn).await?,
                Stop::Lines(ending) => self.at_lines(*ending, &turn).await?,
                Stop::Unknown(row) => {
                    let message = format!("The gateway stopped at {row:?}, which this provider does not know.");
                    return Err(self.shell.unexpected(&turn.stop, message).await);
                }
            }
        }
    }

    /// The error of a choice that must be answered with something and was not.
    fn silent(&self, said: &str) -> Option<Error> {
        let message = self.dialog.sections.get(self.at)?.silent.as_ref()?;
        said.trim().is_empty().then(|| Error::new(Kind::Invalid, message.clone()))
    }

    /// The device keeps a script that it cannot run, and says why: nobody wants that.
    fn invalid_script(&self, said: &str) -> Option<Error> {
        let typed = self.has_typed_script();
        let reasons: Vec<&str> = said.lines().filter(|line| refusal::is_invalid_filter(line)).map(str::trim).collect();
        (typed && !reasons.is_empty()).then(|| {
            Error::new(Kind::Invalid, reasons.join("\n"))
                .hint("The gateway takes the filter and cannot run it. Make what it names first, or correct the name.")
        })
    }

    fn has_typed_script(&self) -> bool {
        self.answers().iter().zip(&self.given).any(|(answer, given)| *given && matches!(answer.reply, Reply::Script(_)))
    }

    /// The main prompt is back: was all asked, and all chosen?
    async fn finished(&mut self, turn: &Turn) -> Result<(), Error> {
        if let Some(error) = self.not_asked() {
            return Err(self.refuse(error, &turn.stop, Way::Up).await);
        }
        if let Some(section) = self.next_section().filter(|section| !self.cut && !section.optional) {
            let message = if turn.said.is_empty() {
                format!("The gateway ended {:?} before {} could be chosen.", self.dialog.command, section.choices.join(" or "))
            } else {
                format!(
                    "The gateway ended {:?} before {} could be chosen: {}",
                    self.dialog.command,
                    section.choices.join(" or "),
                    turn.said
                )
            };
            return Err(self.refuse(Error::new(Kind::Unexpected, message), &turn.stop, Way::Up).await);
        }
        Ok(())
    }

    async fn at_menu(&mut self, menu: &Menu, stop: &Stop) -> Result<(), Error> {
        if !self.rising
            && let Some(error) = self.not_asked()
        {
            return Err(self.refuse(error, stop, Way::Up).await);
        }
        let section = match self.next_section() {
            Some(section) if !self.cut => section,
            _ => return self.rise(menu, stop).await,
        };
        let offered = |word: &&String| menu.operations.iter().any(|operation| operation.eq_ignore_ascii_case(word));
        let Some(word) = section.choices.iter().find(offered) else {
            if section.optional {
                self.cut = true;
                return self.rise(menu, stop).await;
            }
            let message = format!(
                "The gateway's menu does not offer {}. It offers {}.",
                section.choices.join(" or "),
                menu.operations.join(", ")
            );
            return Err(self.refuse(Error::new(Kind::Invalid, message), stop, Way::Up).await);
        };
        self.enter(self.at + 1);
        self.shell.type_line(word, Shown::Plain).await
    }

    /// The error of a command that has no settings at the configured level.
    fn without_settings(&self, label: &str) -> Error {
        // Without quotes: what stands in quotes is masked in errors about filters.
        let offered = if label.is_empty() { String::new() } else { format!(" It offers: {}", label.replace(['"', '\''], "")) };
        let message = format!(
            "The command {} has no settings of its own at the level {}.{offered}",
            self.dialog.command,
            level::words(self.level)
        );
        Error::new(Kind::Invalid, message).hint(
            "Nothing was answered: settings that start empty or as a copy would no longer follow those of the other level. Set `gateway.cluster` of the \
             provider (`mode` and `name`) to the level that has the settings, or make settings of its own for this level on the gateway first.",
        )
    }

    /// Goes one level up.
    async fn rise(&mut self, menu: &Menu, stop: &Stop) -> Result<(), Error> {
        self.rising = true;
        self.last = None;
        if !menu.default.is_empty() {
            let message = format!("Enter would choose {} in the gateway's menu instead of leaving it.", menu.default);
            return Err(self.shell.unexpected(stop, message).await);
        }
        self.shell.type_line("", Shown::Plain).await
    }

    async fn at_question(&mut self, question: &Question, turn: &Turn) -> Result<(), Error> {
        let again = self.last.as_ref().is_some_and(|last| last.same(question));
        if (again || question.lines.is_empty())
            && let Some(line) = self.queue.pop_front()
        {
            self.last = Some(question.clone());
            return self.shell.type_line(&line, Shown::Hidden).await;
        }
        self.queue.clear();
        match level::offer(&turn.said, question, self.level) {
            Offer::None => {}
            Offer::Ours => {
                self.last = Some(question.clone());
                return self.shell.type_line("Y", Shown::Plain).await;
            }
            Offer::Other => return Err(self.refuse(other_level(turn, question, self.level), &turn.stop, Way::Interrupt).await),
        }
        match level::notice(&turn.said, question, self.level) {
            Notice::None => {}
            // Asked a second time, switching did not help.
            Notice::Ours(number) if !again => {
                self.last = Some(question.clone());
                return self.shell.type_line(&number, Shown::Plain).await;
            }
            Notice::Ours(_) => return Err(self.refuse(self.without_settings(""), &turn.stop, Way::Interrupt).await),
            Notice::Other(label) => return Err(self.refuse(self.without_settings(&label), &turn.stop, Way::Interrupt).await),
        }
        if again {
            let message = if turn.said.is_empty() {
                format!("The gateway did not take the answer and asked again: {}", question.words())
            } else {
                turn.said.clone()
            };
            return Err(self.refuse(Error::new(Kind::Invalid, message), &turn.stop, Way::Up).await);
        }
        let choice = match self.choose(question, stop::ending_of(question)) {
            Ok(choice) => choice,
            Err(error) => return Err(self.refuse(error, &turn.stop, Way::Up).await),
        };
        match choice {
            Choice::Line(index, text) => {
                let shown = self.give(index);
                if question.asks == Asks::YesNo {
                    self.subject = question.lines.first().map(|line| line.to_lowercase()).unwrap_or_default();
                }
                self.last = Some(question.clone());
                self.shell.type_line(&text, shown).await
            }
            Choice::Lines(index) => {
                // This release prints a prompt for each line.
                let ending = stop::ending_of(question).unwrap_or(Ending::Dot);
                let lines = self.lines(index, ending, turn).await?;
                self.give(index);
                self.queue = lines.into();
                self.queue.push_back(end_line(ending).to_owned());
                self.last = Some(question.clone());
                match self.queue.pop_front() {
                    Some(line) => self.shell.type_line(&line, Shown::Hidden).await,
                    None => Ok(()),
                }
            }
            Choice::Unknown if self.refused_without_its_question(question) => {
                let words: Vec<&str> = turn.said.lines().chain(question.lines.iter().rev().map(String::as_str)).collect();
                Err(self.refuse(Error::new(Kind::Invalid, words.join("\n")), &turn.stop, Way::Up).await)
            }
            Choice::Unknown => {
                let message = format!("The gateway asked something that this provider does not know: {}", question.words());
                Err(self.shell.unexpected(&turn.stop, message).await)
            }
        }
    }

    async fn at_lines(&mut self, ending: Ending, turn: &Turn) -> Result<(), Error> {
        let lines: Vec<String> =
            turn.said.lines().rev().filter(|line| !line.trim().is_empty()).take(3).map(|line| line.trim().to_owned()).collect();
        let question = Question { lines, default: String::new(), asks: Asks::Text };
        if self.last.as_ref().is_some_and(|last| last.same(&question)) {
            let message = format!("The gateway did not take the text and asked for it again: {}", question.words());
            return Err(self.refuse(Error::new(Kind::Invalid, message), &turn.stop, Way::Interrupt).await);
        }
        let choice = match self.choose(&question, Some(ending)) {
            Ok(choice) => choice,
            Err(error) => return Err(self.refuse(error, &turn.stop, Way::Interrupt).await),
        };
        match choice {
            Choice::Lines(index) => {
                let lines = self.lines(index, ending, turn).await?;
                self.give(index);
                self.last = Some(question);
                if self.shell.type_script(&lines, end_line(ending)).await? {
                    return Ok(());
                }
                let limit = self.shell.patience();
                let turn = self.shell.turn(limit).await?;
                let error = refusal::find(&turn).unwrap_or_else(|| {
                    Error::new(Kind::Invalid, format!("The gateway stopped taking the text before its end. {}", turn.said))
                });
                Err(self.refuse(error, &turn.stop, Way::Interrupt).await)
            }
            Choice::Line(index, text) => {
                self.give(index);
                self.last = Some(question);
                self.shell.type_line(&text, Shown::Plain).await
            }
            Choice::Unknown => {
                let message = format!("The gateway asked for a text that this provider does not know: {}", question.words());
                Err(self.shell.unexpected(&turn.stop, message).await)
            }
        }
    }

    /// The lines of an answer to a text of several lines.
    async fn lines(&mut self, index: usize, ending: Ending, turn: &Turn) -> Result<Vec<String>, Error> {
        let lines = match self.answers().get(index).map(|answer| &answer.reply) {
            Some(Reply::Script(lines)) => lines.clone(),
            Some(Reply::Text(text)) => vec![text.clone()],
            _ => Vec::new(),
        };
        if lines.iter().any(|line| line.trim() == end_line(ending)) {
            let message = "The text contains the line that would end it on the gateway.";
            return Err(self.refuse(Error::new(Kind::Invalid, message), &turn.stop, Way::Interrupt).await);
        }
        Ok(lines)
    }

    /// Notes that an answer is given, and says whether it may be shown.
    fn give(&mut self, index: usize) -> Shown {
        if let Some(given) = self.given.get_mut(index) {
            *given = true;
        }
        match self.answers().get(index) {
            Some(answer) if answer.secret => Shown::Hidden,
            _ => Shown::Plain,
        }
    }

    fn is_given(&self, index: usize) -> bool {
        self.given.get(index).copied().unwrap_or(false)
    }

    /// Looks up the answer to a question.
    fn choose(&self, question: &Question, ending: Option<Ending>) -> Result<Choice, Error> {
        let by_words = self.by_words(question, ending);
        let key = || {
            self.answers()
                .iter()
                .enumerate()
                .find(|(index, answer)| matches!(answer.reply, Reply::Key(_)) && !self.is_given(*index))
        };
        let script = || {
            self.answers()
                .iter()
                .enumerate()
                .find(|(index, answer)| matches!(answer.reply, Reply::Script(_)) && !self.is_given(*index))
        };
        let wordless = || {
            self.answers().iter().enumerate().find(|(index, answer)| {
                answer.words.is_empty() && matches!(answer.reply, Reply::PickBy(_)) && !self.is_given(*index)
            })
        };
        let found = match &question.asks {
            Asks::YesNo => by_words,
            Asks::List(_) => by_words.or_else(key).or_else(wordless),
            Asks::Text if ending.is_some() => script().or(by_words),
            Asks::Text => key().or(by_words),
        };
        let Some((index, answer)) = found else { return Ok(Choice::Unknown) };
        let labels: &[Label] = match &question.asks {
            Asks::List(labels) => labels,
            Asks::YesNo | Asks::Text => &[],
        };
        let number = |position: usize| labels.get(position).map(|label| label.number.clone());
        let text = match &answer.reply {
            Reply::Script(_) => return Ok(Choice::Lines(index)),
            Reply::Text(_) if ending.is_some() => return Ok(Choice::Lines(index)),
            Reply::Text(text) => text.clone(),
            Reply::YesNo(yes) => if *yes { "Y" } else { "N" }.to_owned(),
            Reply::Key(key) => entry(labels, key).and_then(number).unwrap_or_else(|| key.clone()),
            Reply::Keep => String::new(),
            Reply::Pick(wanted) => {
                let chosen = wanted.iter().find_map(|wanted| position(labels, wanted)).and_then(number);
                chosen.ok_or_else(|| not_offered(question, labels, &wanted.join("\" or \"")))?
            }
            Reply::PickBy(picker) => {
                let texts: Vec<String> = labels.iter().map(|label| label.text.clone()).collect();
                let position = picker(&texts).map_err(|message| Error::new(Kind::Invalid, message))?;
                number(position).ok_or_else(|| not_offered(question, labels, &format!("number {}", position + 1)))?
            }
            Reply::PickSome(picker) => {
                let texts: Vec<String> = labels.iter().map(|label| label.text.clone()).collect();
                let positions = picker(&texts).map_err(|message| Error::new(Kind::Invalid, message))?;
                let numbers: Option<Vec<String>> = positions.iter().map(|position| number(*position)).collect();
                let numbers = numbers.filter(|numbers| !numbers.is_empty());
                let numbers = numbers.ok_or_else(|| not_offered(question, labels, "choice"))?;
                let is_sequence = positions.windows(2).all(|pair| pair[0] + 1 == pair[1]);
                match (numbers.as_slice(), is_sequence) {
                    ([first, .., last], true) => format!("{first}-{last}"),
                    (numbers, _) => numbers.join(","),
                }
            }
        };
        Ok(Choice::Line(index, text))
    }

    /// Looks up an answer by the words of the question. The object's own name may have the words of another question in it
    /// (`messages.example.com`), so it counts only where nothing else does.
    fn by_words(&self, question: &Question, ending: Option<Ending>) -> Option<(usize, &'a Answer)> {
        self.fitting(question, ending, &self.names).or_else(|| self.fitting(question, ending, &[]))
    }

    /// First in the line next to the prompt, then with those above it. The answer with the most words wins, then one that was not
    /// given yet, then the first.
    fn fitting(&self, question: &Question, ending: Option<Ending>, without: &[String]) -> Option<(usize, &'a Answer)> {
        let mut text = String::new();
        for line in &question.lines {
            let line = without.iter().fold(line.to_lowercase(), |line, name| without_name(&line, name));
            text = format!("{line} {text}");
            let fits = |(_, answer): &(usize, &'a Answer)| {
                !answer.words.is_empty()
                    && suits(&answer.reply, &question.asks, ending)
                    && answer.words.iter().all(|word| text.contains(&word.to_lowercase()))
                    && answer.behind.iter().all(|word| self.subject.contains(word))
                    // Another yes/no question opens another subject.
                    && (answer.behind.is_empty() || question.asks != Asks::YesNo)
            };
            let rank = |(index, answer): &(usize, &'a Answer)| {
                (Reverse(answer.words.len() + answer.behind.len()), self.is_given(*index), *index)
            };
            if let Some(found) = self.answers().iter().enumerate().filter(fits).min_by_key(rank) {
                return Some(found);
            }
        }
        None
    }

    /// An error that must be reported: an answer that was never asked for.
    fn not_asked(&self) -> Option<Error> {
        let missing = self.answers().iter().enumerate().find(|(index, answer)| answer.must && !self.is_given(*index));
        missing.map(|(_, answer)| {
            let message =
                format!("This release of the gateway did not ask for the answer {} in {:?}.", about(answer), self.dialog.command);
            Error::new(Kind::Unexpected, message)
                .hint("Please report this conversation; `terraform-provider-mailflow doctor` shows what else this release says otherwise.")
        })
    }

    /// Some releases print the error and then only the bare prompt with the same default.
    fn refused_without_its_question(&self, question: &Question) -> bool {
        self.last.as_ref().is_some_and(|last| {
            let statement = question.lines.first().is_some_and(|line| !line.ends_with(['?', ':']));
            !question.default.is_empty() && last.default == question.default && last.asks == question.asks && statement
        })
    }

    /// Leaves the dialog, and completes the error with the conversation.
    async fn refuse(&mut self, error: Error, stop: &Stop, way: Way) -> Error {
        let error = self.shell.with_conversation(error);
        if self.shell.leave(stop, way).await {
            self.shell.end();
        }
        error
    }
}

/// The error of a command that wants to run at another level.
pub(super) fn other_level(turn: &Turn, question: &Question, level: &Level) -> Error {
    let lines: Vec<&str> = turn.said.lines().chain(question.lines.iter().rev().map(String::as_str)).collect();
    let message = format!("The gateway wants to run this at another level than {}: {}", level::words(level), lines.join(" "));
    Error::new(Kind::Invalid, message).hint(level::HINT)
}

fn suits(reply: &Reply, asks: &Asks, ending: Option<Ending>) -> bool {
    match reply {
        Reply::Keep => ending != Some(Ending::Dot),
        Reply::Text(_) => *asks == Asks::Text,
        Reply::YesNo(_) => *asks == Asks::YesNo,
        Reply::Pick(_) | Reply::PickBy(_) | Reply::PickSome(_) => matches!(asks, Asks::List(_)),
        Reply::Script(_) => ending.is_some(),
        Reply::Key(_) => false,
    }
}

fn end_line(ending: Ending) -> &'static str {
    match ending {
        Ending::Dot => ".",
        Ending::Blank => "",
    }
}

/// A label's letters and digits: case, punctuation and spaces vary by release.
fn plain(label: &str) -> String {
    label.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The names that a dialog brings: keys, and texts that are no numbers. The longest first, as one may be a part of another.
fn names(dialog: &Dialog) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for answer in dialog.sections.iter().flat_map(|section| &section.answers) {
        if let Reply::Key(text) | Reply::Text(text) = &answer.reply {
            let name = text.trim().to_lowercase();
            if name.len() > 2 && name.contains(char::is_alphabetic) && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.sort_by_key(|name| Reverse(name.len()));
    names
}

/// Takes a name out of a line, where it is not a part of a longer word.
fn without_name(line: &str, name: &str) -> String {
    let within = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    let mut rest = line;
    let mut kept = String::with_capacity(line.len());
    while let Some(at) = rest.find(name) {
        let (before, found) = rest.split_at(at);
        let behind = found.get(name.len()..).unwrap_or_default();
        let stands_alone = !before.chars().next_back().is_some_and(within) && !behind.chars().next().is_some_and(within);
        kept.push_str(before);
        kept.push_str(if stands_alone { " " } else { name });
        rest = behind;
    }
    kept.push_str(rest);
    kept
}

/// Finds an existing entry in a list. Names may differ in case only, and a label may say more than the name: `RELAY (of ours)`,
/// `Policy: RELAYED`, `$RELAYED`.
fn entry(labels: &[Label], key: &str) -> Option<usize> {
    let named = |label: &Label| {
        let text = label.text.trim();
        let text = text.split_once(": ").filter(|(kind, _)| !kind.contains('.')).map_or(text, |(_, name)| name);
        let text = text.split_once(" (").map_or(text, |(name, _)| name);
        text.trim().trim_start_matches('$').trim_matches(['"', '\'', ':']).to_owned()
    };
    let exact =
        labels.iter().position(|label| label.text.trim() == key).or_else(|| labels.iter().position(|label| named(label) == key));
    let only = |fits: &dyn Fn(&Label) -> bool| {
        let mut found = labels.iter().enumerate().filter(|(_, label)| fits(label)).map(|(at, _)| at);
        found.next().filter(|_| found.next().is_none())
    };
    exact
        .or_else(|| only(&|label| named(label).eq_ignore_ascii_case(key)))
        .or_else(|| only(&|label| plain(&label.text) == plain(key)))
}

fn position(labels: &[Label], wanted: &str) -> Option<usize> {
    let wanted = plain(wanted);
    labels.iter().position(|label| plain(&label.text) == wanted)
}

fn not_offered(question: &Question, labels: &[Label], wanted: &str) -> Error {
    let offered: Vec<&str> = labels.iter().map(|label| label.text.as_str()).collect();
    let message =
        format!("The gateway does not offer \"{wanted}\" at {:?}. It offers: {}.", question.words(), offered.join("; "));
    Error::new(Kind::Invalid, message)
}

#[cfg(test)]
mod tests;
