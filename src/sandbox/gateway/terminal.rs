//! What the dialogs are written with: questions, lists and menus in the forms of the device.
//!
//! A question is its text and, on the next line, `[default]> `; Enter takes the default. A yes/no question has its default on the
//! same line. A menu is entered by a word and left by Enter. A refused answer prints one line and repeats the question.

use std::sync::Arc;

use super::faults::{Break, Point};
use super::line::{Asked, Line, Stop};
use super::options::{Layout, MenuForm, Release};
use super::state::Shared;
use super::tables::Configuration;
use super::tables::filter_reprint::Reprint;

/// Holds one session's conversation.
pub(super) struct Terminal {
    line: Line,
    pub(super) shared: Arc<Shared>,
    pub(super) session: u64,
    pub(super) user: String,
    /// First word of the command that runs.
    command: String,
    /// Level of a cluster, as the prompt names it.
    pub(super) level: Option<String>,
    /// The message of the last `trace` of this session.
    pub(super) last_trace: Option<String>,
}

/// Is one operation of a menu: its word and what it says about itself.
pub(super) type Operation = (&'static str, &'static str);

impl Terminal {
    pub(super) fn new(line: Line, shared: Arc<Shared>, session: u64, user: String) -> Terminal {
        let level =
            shared.options.cluster.as_ref().and_then(|cluster| cluster.machines.first()).map(|name| format!("Machine {name}"));
        Terminal { line, shared, session, user, command: String::new(), level, last_trace: None }
    }

    pub(super) fn release(&self) -> Release {
        self.shared.options.release
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.shared.options.layout
    }

    /// How filters are written back.
    pub(super) fn reprint(&self) -> Reprint {
        self.shared.state().reprint
    }

    pub(super) fn line(&mut self) -> &mut Line {
        &mut self.line
    }

    /// Says under which name this session's changes are kept.
    pub(super) fn owner(&self) -> String {
        self.shared.owner(self.session, &self.user)
    }

    /// Gives the configuration of this level with this session's changes.
    pub(super) fn configuration(&self) -> Configuration {
        let whole = self.whole();
        if whole.levels.is_empty() { whole } else { whole.at(&self.chain()) }
    }

    /// Gives the configuration of all levels with this session's changes.
    pub(super) fn whole(&self) -> Configuration {
        self.shared.state().seen_by(&self.owner())
    }

    /// Names the level and those that it inherits from, but for the cluster.
    pub(super) fn chain(&self) -> Vec<String> {
        self.shared.options.chain(self.level.as_deref())
    }

    /// Stages a change.
    pub(super) fn stage<T>(&self, change: impl FnOnce(&mut Configuration) -> T) -> T {
        let owner = self.owner();
        let mut state = self.shared.state();
        let chain = self.chain();
        let result = state.stage(&owner, |whole| whole.change_at(&chain, change));
        if let (Some(level), Some(changes)) = (&self.level, state.change_sets.get_mut(&owner)) {
            changes.levels.insert(level.clone());
        }
        result
    }

    /// Stages a change of the levels themselves.
    pub(super) fn stage_whole(&self, change: impl FnOnce(&mut Configuration)) {
        let owner = self.owner();
        self.shared.state().stage(&owner, change);
    }

    /// Begins a command.
    pub(super) async fn begin(&mut self, command: &str) -> Asked<()> {
        command.clone_into(&mut self.command);
        let cut = {
            let mut state = self.shared.state();
            *state.counters.commands.entry(command.to_owned()).or_default() += 1;
            let doing = command.to_owned();
            if let Some(session) = state.sessions.get_mut(&self.session) {
                session.doing = doing;
            }
            state.faults.cut(command)
        };
        if let Some((lines, how)) = cut {
            self.line.cut_after(lines, how);
        }
        self.reach(Point::Command(command.to_owned())).await
    }

    /// Ends a command.
    pub(super) fn end(&mut self) {
        self.line.whole_again();
        let pages = self.line.take_pages();
        self.shared.state().counters.pages += pages;
    }

    /// Breaks the session here when a fault says so.
    pub(super) async fn reach(&mut self, here: Point) -> Asked<()> {
        let broken: Option<Break> = self.shared.state().faults.at(&here);
        match broken {
            None => Ok(()),
            Some(how) => self.line.break_off(how).await,
        }
    }

    /// Prints lines.
    pub(super) async fn say(&mut self, text: &str) -> Asked<()> {
        self.line.print(text).await?;
        if text.ends_with('\n') { Ok(()) } else { self.line.print("\n").await }
    }

    /// Prints what stands above a menu.
    pub(super) async fn heading(&mut self, text: &str) -> Asked<()> {
        if self.layout().blank_lines {
            self.line.print("\n").await?;
        }
        self.say(text).await
    }

    /// Prints a line that some releases leave out.
    pub(super) async fn confirm(&mut self, text: &str) -> Asked<()> {
        if self.layout().confirmations { self.say(text).await } else { Ok(()) }
    }

    /// Prints how many filters a change concerned, which some releases leave out.
    pub(super) async fn count(&mut self, text: &str) -> Asked<()> {
        if self.layout().counts { self.say(text).await } else { Ok(()) }
    }

    /// Prints the line of a refused answer.
    pub(super) async fn refuse(&mut self, reason: &str) -> Asked<()> {
        self.shared.state().counters.refusals += 1;
        self.say(reason).await
    }

    /// Asks a question; Enter takes the default.
    pub(super) async fn ask(&mut self, question: &str, default: &str) -> Asked<String> {
        loop {
            self.before(question).await?;
            self.say(question).await?;
            if let Some(answer) = self.answer(question, default).await? {
                return Ok(answer);
            }
        }
    }

    /// Asks until the answer passes `check`.
    pub(super) async fn ask_until<T>(
        &mut self,
        question: &str,
        default: &str,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Asked<T> {
        loop {
            let answer = self.ask(question, default).await?;
            match check(&answer) {
                Ok(value) => return Ok(value),
                Err(reason) => self.refuse(&reason).await?,
            }
        }
    }

    /// Asks for a whole number.
    pub(super) async fn ask_number(&mut self, question: &str, default: Option<u32>, range: (u32, u32)) -> Asked<u32> {
        let shown = default.map_or_else(String::new, |number| number.to_string());
        self.ask_until(question, &shown, |answer| number_in(answer, range)).await
    }

    /// Asks yes or no, the default on the same line.
    pub(super) async fn ask_yes_no(&mut self, question: &str, default: bool) -> Asked<bool> {
        Ok(self.ask_yes_no_or(question, default, None).await?.unwrap_or(default))
    }

    /// Asks yes or no, and takes one more `word`, which gives nothing.
    pub(super) async fn ask_yes_no_or(&mut self, question: &str, default: bool, word: Option<&str>) -> Asked<Option<bool>> {
        loop {
            self.before(question).await?;
            let shown = if default { "Y" } else { "N" };
            self.line.print(question).await?;
            self.line.prompt(&format!(" [{shown}]> ")).await?;
            let Some(answer) = self.typed(question, true).await? else { continue };
            match answer.trim().to_ascii_lowercase().as_str() {
                "" => return Ok(Some(default)),
                "y" | "yes" => return Ok(Some(true)),
                "n" | "no" => return Ok(Some(false)),
                other if Some(other) == word => return Ok(None),
                _ => self.refuse("Please answer Yes or No.").await?,
            }
        }
    }

    /// Asks for one of a numbered list by its number and gives its position from 0.
    pub(super) async fn ask_list<L: AsRef<str>>(&mut self, question: &str, labels: &[L], default: usize) -> Asked<usize> {
        Ok(self.ask_list_or(question, labels, default, None).await?.unwrap_or(default))
    }

    /// Asks for one of a numbered list, and takes one more `word`, which gives nothing.
    pub(super) async fn ask_list_or<L: AsRef<str>>(
        &mut self,
        question: &str,
        labels: &[L],
        default: usize,
        word: Option<&str>,
    ) -> Asked<Option<usize>> {
        loop {
            self.before(question).await?;
            if !question.is_empty() {
                self.say(question).await?;
            }
            for (number, label) in labels.iter().enumerate() {
                self.say(&format!("{}. {}", number + 1, label.as_ref())).await?;
            }
            let Some(answer) = self.answer(question, &(default + 1).to_string()).await? else { continue };
            match answer.parse::<usize>() {
                Ok(number) if (1..=labels.len()).contains(&number) => return Ok(Some(number - 1)),
                _ if word.is_some_and(|word| word.eq_ignore_ascii_case(&answer)) => return Ok(None),
                _ => self.refuse(&format!("Value must be an integer from 1 to {}.", labels.len())).await?,
            }
        }
    }

    /// Shows a menu and gives the word that was chosen and what stood behind it; nothing for Enter.
    pub(super) async fn menu(&mut self, operations: &[Operation]) -> Asked<Option<(&'static str, String)>> {
        let question = "Choose the operation you want to perform:";
        loop {
            self.before(question).await?;
            self.say(question).await?;
            match self.layout().menus {
                MenuForm::Inline => {
                    let words: Vec<&str> = operations.iter().map(|(word, _)| *word).collect();
                    self.say(&format!("({})", words.join(", "))).await?;
                }
                MenuForm::Lines => {
                    for (word, about) in operations {
                        self.say(&format!("- {word} - {about}")).await?;
                    }
                }
            }
            let Some(answer) = self.answer(question, "").await? else { continue };
            if answer.is_empty() {
                return Ok(None);
            }
            let (word, rest) = answer.split_once(' ').unwrap_or((&answer, ""));
            match operations.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)) {
                Some((known, _)) => return Ok(Some((known, rest.trim().to_owned()))),
                None => self.refuse(&format!("Unknown option \"{word}\".")).await?,
            }
        }
    }

    /// Reads lines until one that is `end`, as for scripts and responses; no prompt is shown.
    pub(super) async fn read_until(&mut self, end: &str) -> Asked<Vec<String>> {
        let mut lines = Vec::new();
        let mut refusal = None;
        loop {
            let (line, refused) = self.line_and_refusal("a text", true).await?;
            refusal = refusal.or(refused);
            if line.trim() == end {
                break;
            }
            lines.push(line);
        }
        match refusal {
            None => Ok(lines),
            Some(reason) => {
                self.refuse(&reason).await?;
                Err(Stop::Interrupted)
            }
        }
    }

    /// Reads a line without showing it.
    pub(super) async fn ask_hidden(&mut self, question: &str) -> Asked<String> {
        self.line.prompt(question).await?;
        Ok(self.typed(question, false).await?.unwrap_or_default())
    }

    /// Reads a command line.
    pub(super) async fn command_line(&mut self) -> Asked<String> {
        let name = match &self.level {
            Some(level) => format!("({level})"),
            None => self.shared.options.hostname.clone(),
        };
        loop {
            if self.layout().blank_lines {
                self.line.prompt("\n").await?;
            }
            self.line.prompt(&format!("{name}> ")).await?;
            self.command.clear();
            if let Some(command) = self.typed("", true).await? {
                return Ok(command);
            }
        }
    }

    /// Reads an answer; nothing if it was refused.
    async fn answer(&mut self, question: &str, default: &str) -> Asked<Option<String>> {
        self.line.prompt(&format!("[{default}]> ")).await?;
        let answer = self.typed(question, true).await?;
        let answer = answer.as_deref().map(str::trim);
        Ok(answer.map(|answer| if answer.is_empty() { default.to_owned() } else { answer.to_owned() }))
    }

    /// Reads a line; nothing if it was refused, which has been said then.
    async fn typed(&mut self, question: &str, echo: bool) -> Asked<Option<String>> {
        let (line, refusal) = self.line_and_refusal(question, echo).await?;
        match refusal {
            None => Ok(Some(line)),
            Some(reason) => self.refuse(&reason).await.map(|()| None),
        }
    }

    /// Reads a line and lets the faults of typed lines happen. Gives why it is to be refused, if it is.
    async fn line_and_refusal(&mut self, question: &str, echo: bool) -> Asked<(String, Option<String>)> {
        let line = self.line.read_line(echo).await?;
        tokio::time::sleep(self.shared.options.line_duration).await;
        let faults = {
            let mut state = self.shared.state();
            if self.shared.options.keep_steps {
                let step = if self.command.is_empty() { format!("> {line}") } else { format!("{}: {question}", self.command) };
                state.steps.push(step);
            }
            let faults = state.faults.line();
            for edit in faults.change.iter().flatten() {
                // What has gone or come since the test was written is no longer theirs to change.
                let _ = state.edit("colleague", std::slice::from_ref(edit));
            }
            faults
        };
        match faults.breaks {
            Some(how) => self.line.break_off(how).await,
            None => Ok((line, faults.refusal)),
        }
    }

    /// Counts a question and lets the faults of this place happen.
    async fn before(&mut self, question: &str) -> Asked<()> {
        let injected = {
            let mut state = self.shared.state();
            state.counters.questions += 1;
            state.faults.question(&self.command, question)
        };
        if let Some((text, default, yes_no)) = injected {
            if yes_no {
                self.line.print(&text).await?;
                self.line.prompt(&format!(" [{default}]> ")).await?;
            } else {
                self.say(&text).await?;
                self.line.prompt(&format!("[{default}]> ")).await?;
            }
            // Nobody knows what the answer would do; it does nothing.
            self.typed(&text, true).await?;
        }
        self.reach(Point::Question(question.to_owned())).await?;
        if self.layout().blank_lines { self.line.print("\n").await } else { Ok(()) }
    }
}

/// Reads a whole number within bounds.
pub(super) fn number_in(answer: &str, (low, high): (u32, u32)) -> Result<u32, String> {
    match answer.trim().replace(',', "").parse::<u32>() {
        _ if answer.is_empty() => Err("You must enter a value.".into()),
        Ok(number) if (low..=high).contains(&number) => Ok(number),
        _ => Err(format!("Value must be an integer from {low} to {high}.")),
    }
}

/// Finds the entry of a numbered list that an answer means, by number or by name.
pub(super) fn choose<L: AsRef<str>>(answer: &str, labels: &[L]) -> Option<usize> {
    match answer.parse::<usize>() {
        Ok(number) => (1..=labels.len()).contains(&number).then(|| number - 1),
        Err(_) => labels.iter().position(|label| label.as_ref().eq_ignore_ascii_case(answer)),
    }
}

/// Tells a dialog that ended early from one that has to end the session.
pub(super) fn ends_session(stop: Stop) -> bool {
    stop != Stop::Interrupted
}
