//! Orphans: what carries our ownership tags and no run owns.

use std::collections::BTreeMap;

use runbook_modules::target::Marked;
use runbook_seeded::mutant;
use runbook_state::record::EffectState;

use crate::{effect::token, run::history::History};

/// What is known of something that carries our tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// A run owns it.
    Owned,
    /// Its outcome is not known yet: the run finds out when it is resumed or undone.
    Open,
    /// No run here owns it.
    Orphan(Why),
}

/// Why nobody owns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No run of this state directory has that id.
    NoSuchRun,
    /// The run's journal does not know that it was made: it is older than the world, or another copy of it was driven.
    NotInJournal,
    /// The run's journal has it as gone, as refused, or as never made.
    Dismissed,
}

impl Why {
    /// One word, for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoSuchRun => "no_such_run",
            Self::NotInJournal => "not_in_journal",
            Self::Dismissed => "dismissed",
        }
    }

    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoSuchRun => "no run of this state directory made it",
            Self::NotInJournal => {
                "the run's journal does not know it: it is older than this, or a copy of it was driven"
            }
            Self::Dismissed => "the run's journal has it as gone or never made",
        }
    }
}

/// What the journals of runs say of effects, by the tag that names them.
#[derive(Debug, Default)]
pub struct Known(BTreeMap<String, BTreeMap<String, Whose>>);

impl Known {
    /// Takes in a run.
    pub fn run(&mut self, id: &str, history: &History) {
        let effects = history.effects().into_iter().filter(|effect| !effect.token.is_empty());
        let said = effects.map(|known| {
            let whose = match known.state {
                EffectState::Done | EffectState::Accepted => Whose::Owned,
                EffectState::Failed if known.remains => Whose::Owned,
                EffectState::Retired if mutant!("retired-is-owned") => Whose::Owned,
                EffectState::Intent | EffectState::Unknown => Whose::Open,
                EffectState::Failed | EffectState::Retired | EffectState::Undone => Whose::Orphan(Why::Dismissed),
            };
            (token::tag(&known.token).to_owned(), whose)
        });
        self.0.insert(id.to_owned(), said.collect());
    }

    /// Whose something is.
    pub fn whose(&self, marked: &Marked) -> Whose {
        match self.0.get(&marked.run) {
            None => Whose::Orphan(Why::NoSuchRun),
            Some(effects) => effects.get(&marked.effect).copied().unwrap_or(Whose::Orphan(Why::NotInJournal)),
        }
    }
}
