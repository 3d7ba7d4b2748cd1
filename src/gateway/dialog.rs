//! Conversations with the device, declared.
//!
//! A dialog is a command, the menu choices to make one after the other, and, for each choice, the answers to the questions that may
//! follow it. Answers are looked up by the question's words, whatever the order and whatever else this release asks. Nothing is
//! typed that a dialog does not contain. What no answer fits is an unknown question: the dialog is left, nothing is staged.

use std::fmt;
use std::sync::Arc;

use super::batch_form::Line;

/// A declared conversation, from the main prompt back to the main prompt.
#[must_use]
#[derive(Debug, Clone)]
pub struct Dialog {
    /// What is typed at the main prompt.
    pub command: String,
    /// The menu choices in order, each with its answers.
    pub sections: Vec<Section>,
    /// One line with the same effect, for a device whose help shows its form.
    pub line: Option<Line>,
}

/// One menu choice and the answers to what may be asked until the next menu.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// The menu words, the first that the menu offers is taken (releases differ); empty for the questions directly after the command.
    pub choices: Vec<String>,
    /// The answers, looked up by question.
    pub answers: Vec<Answer>,
    /// Whether the dialog ends here without an error if the menu offers none of the choices (an empty table has nothing to print).
    pub optional: bool,
    /// The error where the device answers this choice with nothing, if that is one.
    pub silent: Option<String>,
}

/// What to do when a question with these words comes.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Words that all occur in the question, in any case. Empty: see [`Reply::Key`] and [`Reply::Script`]; on a
    /// [`Reply::PickBy`], a list that neither words nor a key answer.
    pub words: Vec<String>,
    /// Words that all occur in the yes/no question that was answered last. Empty: any. Some questions are worded alike for several
    /// subjects, and only the yes/no question that opened the subject names it. Such an answer answers no other yes/no question.
    pub behind: Vec<String>,
    /// What is answered.
    pub reply: Reply,
    /// Whether it is an error if this question never comes.
    pub must: bool,
    /// Whether what is typed is masked in messages and transcripts.
    pub secret: bool,
}

/// What is answered.
#[derive(Clone)]
pub enum Reply {
    /// To a question that is neither yes/no nor a list: this text.
    Text(String),
    /// To a yes/no question: yes or no.
    YesNo(bool),
    /// To a numbered list: the number of the label that fits one of these (case and punctuation aside), the first that does.
    Pick(Vec<String>),
    /// To a numbered list: the number of the label at the position that the function chooses; its error ends the dialog.
    PickBy(Picker),
    /// Some of a list at once, found by a function: `1-3`, or `1,3`.
    PickSome(SetPicker),
    /// To the first question after a choice that is not yes/no, whatever its words: which entry (domain, host, name, number).
    Key(String),
    /// To "enter …, '.' on its own line to end": these lines, then a line with a dot.
    Script(Vec<String>),
    /// To any kind of question with these words: Enter, which keeps what stands.
    Keep,
}

/// Chooses one of the labels of a numbered list, by position from 0, or says why none fits.
pub type Picker = Arc<dyn Fn(&[String]) -> Result<usize, String> + Send + Sync>;

/// Chooses some of the labels of a numbered list, by positions from 0 in order, or says why they do not fit.
pub type SetPicker = Arc<dyn Fn(&[String]) -> Result<Vec<usize>, String> + Send + Sync>;

impl fmt::Debug for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Text(_) => out.write_str("text"),
            Reply::YesNo(true) => out.write_str("yes"),
            Reply::YesNo(false) => out.write_str("no"),
            Reply::Pick(labels) => write!(out, "one of {labels:?}"),
            Reply::PickBy(_) => out.write_str("one of the list"),
            Reply::PickSome(_) => out.write_str("some of the list"),
            Reply::Key(_) => out.write_str("key"),
            Reply::Script(lines) => write!(out, "script of {} lines", lines.len()),
            Reply::Keep => out.write_str("keep"),
        }
    }
}

/// What the device printed while a dialog was walked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// What came after the command, before the first menu or question.
    pub opening: String,
    /// For each section in order: what came between its last answer and the next menu or prompt.
    pub after: Vec<String>,
}

/// A part of a report that is printed over several questions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// What was printed.
    pub said: String,
    /// The question that came behind it; nothing at the main prompt.
    pub asked: String,
}

impl Dialog {
    /// Starts with a command at the main prompt.
    pub fn of(command: impl Into<String>) -> Dialog {
        Dialog { command: command.into(), sections: vec![Section::default()], line: None }
    }

    /// Says which line has the same effect, if there is one.
    pub fn or_line(mut self, line: Option<Line>) -> Dialog {
        self.line = line;
        self
    }

    /// Chooses a menu operation.
    pub fn choose(self, word: &str) -> Dialog {
        self.choose_first(&[word])
    }

    /// Chooses the first of these menu operations that the menu offers.
    pub fn choose_first(mut self, words: &[&str]) -> Dialog {
        let choices = words.iter().map(|word| (*word).to_owned()).collect();
        self.sections.push(Section { choices, ..Section::default() });
        self
    }

    /// Chooses the first of these menu operations that the menu offers. If it offers none, the dialog ends here without an
    /// error, and nothing stands in [`Said::after`] for this choice and those behind it.
    pub fn choose_if_offered(self, words: &[&str]) -> Dialog {
        let mut dialog = self.choose_first(words);
        if let Some(section) = dialog.sections.last_mut() {
            section.optional = true;
        }
        dialog
    }

    /// Takes it for a refusal if the device says nothing behind this choice, with these words.
    pub fn must_say(mut self, otherwise: impl Into<String>) -> Dialog {
        if let Some(section) = self.sections.last_mut() {
            section.silent = Some(otherwise.into());
        }
        self
    }

    /// Answers the question with these words by a text. It must be asked.
    pub fn answer(self, words: &str, text: impl Into<String>) -> Dialog {
        self.reply(words, Reply::Text(text.into()), true)
    }

    /// Answers the question with these words by a text, if it is asked.
    pub fn answer_if_asked(self, words: &str, text: impl Into<String>) -> Dialog {
        self.reply(words, Reply::Text(text.into()), false)
    }

    /// Answers the yes/no question with these words. It must be asked.
    pub fn yes_no(self, words: &str, yes: bool) -> Dialog {
        self.reply(words, Reply::YesNo(yes), true)
    }

    /// Answers the yes/no question with these words, if it is asked (confirmations, for one).
    pub fn yes_no_if_asked(self, words: &str, yes: bool) -> Dialog {
        self.reply(words, Reply::YesNo(yes), false)
    }

    /// Picks the first of these labels that the list offers. It must be asked.
    pub fn pick(self, words: &str, labels: &[&str]) -> Dialog {
        self.reply(words, Reply::Pick(labels.iter().map(|label| (*label).to_owned()).collect()), true)
    }

    /// Picks the first of these labels that the list offers, if it is asked.
    pub fn pick_if_asked(self, words: &str, labels: &[&str]) -> Dialog {
        self.reply(words, Reply::Pick(labels.iter().map(|label| (*label).to_owned()).collect()), false)
    }

    /// Picks from the list by a function. It must be asked.
    pub fn pick_by(self, words: &str, picker: Picker) -> Dialog {
        self.reply(words, Reply::PickBy(picker), true)
    }

    /// Picks some labels of the list at once by a function: those in sequence as a range (`1-3`), others one by one (`1,3`).
    pub fn pick_some(self, words: &str, picker: SetPicker) -> Dialog {
        self.reply(words, Reply::PickSome(picker), true)
    }

    /// Picks from the list by a function, if it is asked.
    pub fn pick_by_if_asked(self, words: &str, picker: Picker) -> Dialog {
        self.reply(words, Reply::PickBy(picker), false)
    }

    /// Says which entry the choice is about, if the device asks for one at all.
    pub fn key_if_asked(self, key: impl Into<String>) -> Dialog {
        self.reply("", Reply::Key(key.into()), false)
    }

    /// Says which entry the choice is about, whatever the words of the question.
    pub fn key(self, key: impl Into<String>) -> Dialog {
        self.reply("", Reply::Key(key.into()), true)
    }

    /// Types a script when the device asks for one, masked in messages.
    pub fn script(mut self, lines: Vec<String>) -> Dialog {
        self.push(Answer { secret: true, ..answer("", Reply::Script(lines), true) });
        self
    }

    /// Answers the question with these words by a text, where the yes/no question before it was the one with the words of `gate`.
    /// With `must`, it must be asked.
    pub fn answer_behind(mut self, gate: &str, words: &str, text: impl Into<String>, must: bool) -> Dialog {
        self.push(Answer { behind: split(gate), ..answer(words, Reply::Text(text.into()), must) });
        self
    }

    /// Knows the question with these words where the yes/no question before it was the one with the words of `gate`, and keeps what
    /// stands.
    pub fn keep_behind(mut self, gate: &str, words: &str) -> Dialog {
        self.push(Answer { behind: split(gate), ..answer(words, Reply::Keep, false) });
        self
    }

    /// Knows the question with these words and keeps what stands, if it is asked.
    pub fn keep(self, words: &str) -> Dialog {
        self.reply(words, Reply::Keep, false)
    }

    /// Knows several questions and keeps what stands.
    pub fn keep_all(self, questions: &[&str]) -> Dialog {
        questions.iter().fold(self, |dialog, words| dialog.keep(words))
    }

    fn reply(mut self, words: &str, reply: Reply, must: bool) -> Dialog {
        self.push(answer(words, reply, must));
        self
    }

    fn push(&mut self, answer: Answer) {
        if let Some(section) = self.sections.last_mut() {
            section.answers.push(answer);
        }
    }
}

fn answer(words: &str, reply: Reply, must: bool) -> Answer {
    Answer { words: split(words), behind: Vec::new(), reply, must, secret: false }
}

fn split(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_lowercase).collect()
}
