//! The words around the program are true: what they show is run, what they list is compared.

mod help;
mod readme;
mod reference;

use std::path::PathBuf;

/// A file of the repository.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The fenced blocks of README.md in one language, in order.
fn blocks(language: &str) -> Vec<String> {
    let text = read("README.md");
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while lines.by_ref().any(|line| line == format!("```{language}")) {
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(block.join("\n"));
    }
    assert!(!blocks.is_empty(), "no ```{language} block");
    blocks
}
