//! What `explain` tells about one code, or the list of all.

use std::fmt::Write;

use serde_json::{Value, json};

use super::verify::words;
use super::{Report, Style};
use crate::diagnose::{Code, StageId, Who};

/// Width of a line.
const WIDTH: usize = 80;
/// Width of what stands before the text of a line: label and place.
const MARGIN: usize = 16;

/// One code and what `verify` exits with where it comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The code.
    pub code: Code,
    /// The exit code.
    pub exit_code: u8,
}

/// Pages, or a list.
#[derive(Debug)]
pub struct ExplainReport {
    /// What it is about.
    pub codes: Vec<Explained>,
    /// A line for each instead of its page.
    pub list: bool,
}

impl Report for ExplainReport {
    fn human(&self, style: Style) -> String {
        if self.list {
            return self.lines(style);
        }
        self.codes.iter().map(|it| page(*it, style)).collect()
    }

    fn json(&self) -> Value {
        json!({
            "schema": 1,
            "command": "explain",
            "ok": true,
            "exit_code": 0,
            "codes": self.codes.iter().map(|it| document(*it)).collect::<Vec<_>>(),
        })
    }
}

impl ExplainReport {
    /// Every code in one line, by the stage that it belongs to.
    fn lines(&self, style: Style) -> String {
        let names = self.codes.iter().map(|it| it.code.as_str().len());
        let width = names.max().unwrap_or_default();
        let mut text = String::new();
        for stage in StageId::ALL {
            let of_stage = self.codes.iter().filter(|it| it.code.stage() == stage);
            for (index, it) in of_stage.enumerate() {
                if index == 0 {
                    let _ = writeln!(text, "{}", style.strong(stage.as_str()));
                }
                let _ = writeln!(text, "  {:<width$}  {}", it.code.as_str(), it.code.title());
            }
        }
        text.push_str("next: grpc-pki explain CODE\n");
        text
    }
}

fn page(it: Explained, style: Style) -> String {
    let page = it.code.page();
    let name = style.strong(it.code.as_str());
    let mut text = format!("{name} — {}\n\n", it.code.title());
    for line in wrap(page.meaning, WIDTH) {
        let _ = writeln!(text, "{line}");
    }
    text.push('\n');
    text.push_str(&block("seen", page.seen, style));
    text.push('\n');
    text.push_str(&block("fix", page.fix, style));
    let exit = match it.exit_code {
        0 => "0, as gRPC clients get through".to_owned(),
        code => code.to_string(),
    };
    let _ = writeln!(text, "{}{exit}", style.strong("exit  "));
    text
}

/// The lines of one part, the label before the first and the place before each.
fn block(label: &str, lines: &[(Who, &str)], style: Style) -> String {
    let mut text = String::new();
    for (index, (who, said)) in lines.iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        let mut margin = style.strong(&format!("{label:<6}")) + &format!("{:<10}", who.as_str());
        for line in wrap(said, WIDTH - MARGIN) {
            let _ = writeln!(text, "{margin}{line}");
            margin = " ".repeat(MARGIN);
        }
    }
    text
}

/// The lines of a text; what stands in backticks stays whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words(text) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

fn document(it: Explained) -> Value {
    let page = it.code.page();
    let lines = |key: &str, lines: &[(Who, &str)]| -> Vec<Value> {
        let line = |(who, text): &(Who, &str)| json!({ key: who.as_str(), "text": text });
        lines.iter().map(line).collect()
    };
    json!({
        "code": it.code.as_str(),
        "stage": it.code.stage().as_str(),
        "exit_code": it.exit_code,
        "title": it.code.title(),
        "meaning": page.meaning,
        "seen": lines("client", page.seen),
        "fix": lines("where", page.fix),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_and_the_list_fit_a_terminal() {
        let codes: Vec<Explained> = Code::ALL
            .iter()
            .map(|code| Explained {
                code: *code,
                exit_code: 0,
            })
            .collect();
        let mut wrong = Vec::new();
        for it in &codes {
            let text = page(*it, Style::default());
            let count = text.lines().count();
            // A terminal of 24 lines, with the command and the next prompt.
            if !(6..=22).contains(&count) {
                wrong.push(format!("{count} lines\n{text}"));
            }
            wrong.extend(too_long(&text));
        }
        let report = ExplainReport { codes, list: true };
        wrong.extend(too_long(&report.human(Style::default())));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    fn too_long(text: &str) -> Vec<String> {
        let long = |line: &&str| line.chars().count() > WIDTH || line.trim_end() != *line;
        text.lines().filter(long).map(str::to_owned).collect()
    }
}
