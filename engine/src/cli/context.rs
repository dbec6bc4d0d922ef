//! What every command starts from: options, the look of both streams, the state directory, the store.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use runbook_state::{
    sqlite::Sqlite,
    store::{Run, Store},
};

use super::{error::Problem, options::Common, state_dir, terminal};
use crate::ui::{look::Look, out, screen::Style, text::quoted};

/// A short id has at least this many characters.
const SHORTEST: usize = 4;

/// The surroundings of a command.
pub struct Context {
    /// The options of every command.
    pub common: Common,
    /// For text on standard error.
    pub err: Look,
    /// For answers on standard output.
    pub out: Look,
}

impl Context {
    /// Looks around.
    pub fn new(common: Common) -> Self {
        let err = terminal::look(&std::io::stderr(), std::io::stderr().is_terminal(), common.color);
        let out = terminal::look(&std::io::stdout(), std::io::stdout().is_terminal(), common.color);
        Self { common, err, out }
    }

    /// Writes an answer to standard output.
    pub fn answer(&self, text: &str) {
        // Whoever asked and has gone needs no answer.
        let _ = out::answer(text);
    }

    /// Writes text for people to standard error.
    pub fn say(&self, text: &str) {
        let _ = out::say(text);
    }

    /// Writes a JSON answer.
    pub fn answer_json(&self, value: serde_json::Value) {
        self.answer(&format!("{}\n", crate::ui::json::masked(value)));
    }

    /// Whether a table on standard output keeps its long lines.
    pub fn wide(&self) -> bool {
        !std::io::stdout().is_terminal()
    }

    /// How a run is shown here.
    pub fn style(&self) -> Style {
        match &self.common {
            Common { json: true, .. } => Style::Json,
            Common { quiet: true, .. } => Style::Quiet,
            _ if terminal::can_move() => Style::Tree(terminal::height()),
            _ => Style::Lines,
        }
    }

    /// The state directory.
    ///
    /// # Errors
    /// RB0205.
    pub fn state_dir(&self) -> Result<PathBuf, Problem> {
        state_dir::find(self.common.state.as_deref())
    }

    /// The store, for a command that may begin one.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn store(&self) -> Result<Arc<dyn Store>, Problem> {
        let dir = self.state_dir()?;
        state_dir::is_there(&dir)?;
        open(&dir)
    }

    /// The store, for a command that needs a run to be there.
    ///
    /// # Errors
    /// RB0203 when there is none yet.
    pub fn existing(&self) -> Result<Arc<dyn Store>, Problem> {
        let dir = self.state_dir()?;
        if !state_dir::is_there(&dir)? {
            let message = format!("there are no runs yet ({} does not exist)", dir.display());
            return Err(Problem::usage("RB0203", message).next("runbook run redis-ha --sandbox"));
        }
        open(&dir)
    }

    /// A run by prefix or `latest`.
    ///
    /// # Errors
    /// RB0203 when there is none or several.
    pub fn find(&self, store: &Arc<dyn Store>, prefix: &str) -> Result<Run, Problem> {
        Ok(store.find(prefix)?)
    }

    /// The shortest unique prefix of a run's id.
    pub fn short(&self, store: &dyn Store, id: &str) -> String {
        let others: Vec<String> =
            store.runs().map(|runs| runs.into_iter().map(|run| run.id).collect()).unwrap_or_default();
        shortest(id, &others)
    }

    /// What next commands must repeat to reach the same state.
    pub fn options(&self) -> String {
        let from_environment = std::env::var_os("RUNBOOK_STATE").map(PathBuf::from);
        match &self.common.state {
            Some(dir) if from_environment.as_ref() != Some(dir) => {
                format!(" --state {}", quoted(&dir.to_string_lossy()))
            }
            _ => String::new(),
        }
    }
}

fn open(dir: &Path) -> Result<Arc<dyn Store>, Problem> {
    Ok(Arc::new(Sqlite::open(dir)?))
}

/// The shortest prefix of an id that no other id has.
pub fn shortest(id: &str, ids: &[String]) -> String {
    let shared = |other: &String| id.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let needed = ids.iter().filter(|other| *other != id).map(shared).max().map_or(SHORTEST, |n| (n + 1).max(SHORTEST));
    id.chars().take(needed).collect()
}

#[cfg(test)]
mod tests {
    use super::shortest;

    #[test]
    fn short_ids_are_unique() {
        let ids = ["7f3a9c00", "7f3a9d00", "51bc0000"].map(str::to_owned);
        assert_eq!(shortest(&ids[0], &ids), "7f3a9c");
        assert_eq!(shortest(&ids[2], &ids), "51bc");
    }
}
