//! Reads a script's text into Rhai's tree, a little differently from how it is written, where Rhai itself gives no hook.
//!
//! | written | read as | why |
//! |---|---|---|
//! | `m.x = 1` | the name `x` marked | Rhai reports a missing field in the same words whether it is read or assigned: the mark tells |
//! | `m["x"] = 1` | the text marked | the same |
//! | `m[key] = 1` | `m[key KEY 0] = 1` | the operator marks the key when it is a text |
//! | `switch x { … }` | `switch 0 SUBJECT x { … }` | Rhai takes the default branch for a secret, without a word; the operator refuses it |
//!
//! No token that an error can name moves: what is added takes the place of spaces and of letters of `switch` itself. Only where a
//! script leaves no room for it (`m[key]=1`), what follows on that line is told to stand two columns further right.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rhai::{AST, Dynamic, Engine, EvalAltResult, NativeCallContext, ParseError, Position, Target, Token};

use super::{raise, secret};

/// Stands before the name of a field that is assigned.
pub const MARK: &str = "\u{1}=\u{1}";
/// The operator that marks a key.
const KEY: &str = "\u{1}key";
/// The operator that looks at the subject of a switch.
const SUBJECT: &str = "\u{1}switch";
/// As long as `switch`, and three tokens.
const SWITCH: &str = "swch~@";

/// What stands for what, by place, while one text is compiled.
type Marks = Arc<Mutex<HashMap<Position, Token>>>;

/// A parser that reads as said above.
pub struct Parser {
    /// The engine; it only parses.
    pub engine: Engine,
    marks: Marks,
}

impl Parser {
    /// Teaches an engine to read so.
    #[expect(deprecated, reason = "Rhai calls this callback volatile; its version is pinned by Cargo.lock")]
    pub fn new(mut engine: Engine) -> Self {
        let marks = Marks::default();
        let known = marks.clone();
        engine.on_parse_token(move |token, at, _| {
            known.lock().unwrap_or_else(PoisonError::into_inner).get(&at).cloned().unwrap_or(token)
        });
        for operator in [KEY, SUBJECT] {
            // Weaker than any of Rhai's own (30 and more): the whole expression counts. Rhai refuses only its own operators.
            let _ = engine.register_custom_operator(operator, 2);
        }
        Self { engine, marks }
    }

    /// Compiles a text.
    ///
    /// # Errors
    /// The text is no script.
    pub fn compile(&self, text: &str) -> Result<AST, ParseError> {
        self.set(HashMap::new());
        let mut page = Page::new(text);
        page.respell(&tokens(&self.engine, text));
        self.set(page.marks());
        self.engine.compile(page.text())
    }

    fn set(&self, marks: HashMap<Position, Token>) {
        *self.marks.lock().unwrap_or_else(PoisonError::into_inner) = marks;
    }
}

/// Adds the two operators to an engine that runs.
pub fn register(engine: &mut Engine) {
    engine
        .register_fn(KEY, |key: Dynamic, _: i64| match key.flatten_clone().into_immutable_string() {
            Ok(text) => format!("{MARK}{text}").into(),
            Err(_) => key,
        })
        .register_fn(SUBJECT, |ctx: NativeCallContext, _: i64, subject: Dynamic| {
            // The operator stands on the last letter of `switch`.
            let mut site = raise::site(&ctx);
            site.column = site.column.saturating_sub(SWITCH.len() as u32 - 1);
            secret::not_within(&site, subject)
        });
}

/// Whether a function is one of those above, which no script can name.
pub fn ours(function: &str) -> bool {
    [KEY, SUBJECT].contains(&function)
}

/// A name as it is written, without the mark.
pub fn plain(name: &str) -> &str {
    name.strip_prefix(MARK).unwrap_or(name)
}

/// The place in a map for the field of a marked name; it is made when it is missing.
///
/// # Errors
/// The map is as large as it may become.
pub fn assigned<'a>(map: &'a mut rhai::Map, name: &str, largest: usize) -> Result<Target<'a>, Box<EvalAltResult>> {
    let name = plain(name);
    if map.len() >= largest && !map.contains_key(name) {
        return Err(EvalAltResult::ErrorDataTooLarge("Size of object map".to_owned(), Position::NONE).into());
    }
    map.entry(name.into()).or_insert(Dynamic::UNIT).try_into()
}

fn key_operator() -> Token {
    Token::Custom(Box::new(KEY.into()))
}

/// The tokens of a text. A text in back-ticks is taken up again after each `${…}`, which otherwise the parser sees to.
fn tokens(engine: &Engine, text: &str) -> Vec<(Token, Position)> {
    let texts = [text];
    let (stream, control) = engine.lex(&texts);
    let mut found = Vec::new();
    let mut within: Vec<usize> = Vec::new();
    for (token, at) in stream {
        match &token {
            Token::EOF | Token::LexError(_) => break,
            Token::InterpolatedString(_) => within.push(0),
            Token::LeftBrace | Token::MapStart => {
                if let Some(depth) = within.last_mut() {
                    *depth += 1;
                }
            }
            Token::RightBrace => {
                if let Some(depth) = within.last_mut() {
                    *depth = depth.saturating_sub(1);
                    if *depth == 0 {
                        within.pop();
                        control.borrow_mut().is_within_text = true;
                    }
                }
            }
            _ => {}
        }
        found.push((token, at));
    }
    found
}

/// What is put in where there is no room.
const WEDGE: [char; 2] = ['@', '~'];

/// A text that can be written over, place by place.
struct Page {
    letters: Vec<char>,
    lines: Vec<usize>,
    /// Tokens that stand for others, by the index of their first letter.
    marks: Vec<(usize, Token)>,
    /// Where wedges go: before which letters, in the order of the text.
    wedges: Vec<usize>,
}

impl Page {
    fn new(text: &str) -> Self {
        let letters: Vec<char> = text.chars().collect();
        let after = letters.iter().enumerate().filter(|(_, letter)| **letter == '\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(after).collect();
        Self { letters, lines, marks: Vec::new(), wedges: Vec::new() }
    }

    fn text(&self) -> String {
        let mut text = String::with_capacity(self.letters.len());
        let mut wedges = self.wedges.iter().peekable();
        for (index, letter) in self.letters.iter().enumerate() {
            if wedges.next_if_eq(&&index).is_some() {
                text.extend(WEDGE);
            }
            text.push(*letter);
        }
        text
    }

    /// The tokens that stand for others, by their places in the new text.
    fn marks(&self) -> HashMap<Position, Token> {
        let moved = self.marks.iter().filter_map(|(index, token)| Some((self.place(*index)?, token.clone())));
        let wedged = self.wedges.iter().flat_map(|index| {
            let operator = self.shifted(*index, 0).map(|at| (at, key_operator()));
            let zero = self.shifted(*index, 1).map(|at| (at, Token::IntegerConstant(0)));
            [operator, zero].into_iter().flatten()
        });
        moved.chain(wedged).collect()
    }

    /// The index of a place.
    fn index(&self, at: Position) -> Option<usize> {
        let start = self.lines.get(at.line()?.checked_sub(1)?)?;
        Some(start + at.position()?.checked_sub(1)?)
    }

    /// The place that a letter has in the new text.
    fn place(&self, index: usize) -> Option<Position> {
        self.shifted(index, if self.wedges.binary_search(&index).is_ok() { WEDGE.len() } else { 0 })
    }

    /// The place in the new text that lies `by` letters behind what stands before a letter.
    fn shifted(&self, index: usize, by: usize) -> Option<Position> {
        let line = self.lines.partition_point(|start| *start <= index);
        let start = *self.lines.get(line.checked_sub(1)?)?;
        let before = self.wedges.iter().filter(|wedge| (start..index).contains(wedge)).count();
        let column = index - start + 1 + by + before * WEDGE.len();
        Some(Position::new(u16::try_from(line).ok()?, u16::try_from(column).ok()?))
    }

    /// Writes over the text where it must be.
    fn respell(&mut self, tokens: &[(Token, Position)]) {
        let mut open = Vec::new();
        for (i, (token, at)) in tokens.iter().enumerate() {
            match token {
                Token::Switch => self.switch(*at),
                Token::LeftBracket | Token::QuestionBracket => open.push(i),
                Token::RightBracket => {
                    let Some(start) = open.pop() else { continue };
                    let (Some((Token::Equals, _)), Some((_, value))) = (tokens.get(i + 1), tokens.get(i + 2)) else {
                        continue;
                    };
                    match &tokens[start + 1..i] {
                        [(Token::StringConstant(text), at)] => {
                            self.mark(*at, Token::StringConstant(Box::new(format!("{MARK}{text}").into())));
                        }
                        _ => self.key(*at, *value),
                    }
                }
                Token::Identifier(name)
                    if i > 0
                        && matches!(tokens[i - 1].0, Token::Period | Token::Elvis)
                        && matches!(tokens.get(i + 1), Some((Token::Equals, _))) =>
                {
                    self.mark(*at, Token::Identifier(Box::new(format!("{MARK}{name}").into())));
                }
                _ => {}
            }
        }
    }

    fn mark(&mut self, at: Position, token: Token) {
        self.marks.extend(self.index(at).map(|index| (index, token)));
    }

    fn switch(&mut self, at: Position) {
        let Some(start) = self.index(at) else { return };
        let word = start..start + SWITCH.len();
        if self.letters.get(word.clone()).is_none_or(|letters| !letters.iter().copied().eq("switch".chars())) {
            return;
        }
        let (zero, operator) = (word.end - 2, word.end - 1);
        self.letters.splice(word, SWITCH.chars());
        self.marks.push((start, Token::Switch));
        self.marks.push((zero, Token::IntegerConstant(0)));
        self.marks.push((operator, Token::Custom(Box::new(SUBJECT.into()))));
    }

    /// From the closing bracket to the value there is room when `=` has two spaces around it.
    fn key(&mut self, bracket: Position, value: Position) {
        let (Some(from), Some(to)) = (self.index(bracket), self.index(value)) else { return };
        let free = |letter: &char| matches!(letter, ']' | '=') || (letter.is_whitespace() && *letter != '\n');
        if self.letters.get(from..to).is_none_or(|letters| !letters.iter().all(|l| free(l) || *l == '\n')) {
            return;
        }
        let slots: Vec<usize> = (from..to).filter(|index| free(&self.letters[*index])).collect();
        let &[operator, zero, close, equals, ..] = &slots[..] else {
            // Inner brackets close first, so this is not always the last wedge of the text.
            let at = self.wedges.partition_point(|wedge| *wedge < from);
            self.wedges.insert(at, from);
            return;
        };
        for index in slots {
            self.letters[index] = ' ';
        }
        for (index, letter) in [(operator, '@'), (zero, '~'), (close, ']'), (equals, '=')] {
            self.letters[index] = letter;
        }
        self.marks.push((operator, key_operator()));
        self.marks.push((zero, Token::IntegerConstant(0)));
    }
}
