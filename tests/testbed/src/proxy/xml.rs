//! A small tree of the XML that AWS speaks: elements with either text or children, read, changed and written again.

use quick_xml::{Reader, events::Event};
use serde_json::{Map, Value};

/// An element: text or children, never both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name, with prefix if it has one.
    pub name: String,
    /// Its attributes, decoded.
    pub attributes: Vec<(String, String)>,
    /// Its text, decoded; empty when it has children.
    pub text: String,
    /// Its children in order.
    pub children: Vec<Element>,
}

impl Element {
    /// An element with text.
    pub fn text(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), ..Self::default() }
    }

    /// An element with children.
    pub fn of(name: &str, children: Vec<Self>) -> Self {
        Self { name: name.to_owned(), children, ..Self::default() }
    }

    /// Reads a document. None when it is not well-formed.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::from_reader(bytes);
        let mut open: Vec<Self> = Vec::new();
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) => open.push(Self::opened(&tag)?),
                Event::Empty(tag) => {
                    let element = Self::opened(&tag)?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Some(element),
                    }
                }
                Event::Text(text) => {
                    if let Some(element) = open.last_mut() {
                        element.text.push_str(&text.decode().ok()?);
                    }
                }
                Event::CData(text) => {
                    if let Some(element) = open.last_mut() {
                        element.text.push_str(&text.decode().ok()?);
                    }
                }
                Event::GeneralRef(name) => {
                    let resolved = match name.resolve_char_ref().ok()? {
                        Some(character) => character,
                        None => named(&name.decode().ok()?)?,
                    };
                    open.last_mut()?.text.push(resolved);
                }
                Event::End(_) => {
                    let mut done = open.pop()?;
                    if !done.children.is_empty() {
                        done.text.clear();
                    }
                    match open.last_mut() {
                        Some(parent) => parent.children.push(done),
                        None => return Some(done),
                    }
                }
                Event::Eof => return None,
                _ => {}
            }
        }
    }

    fn opened(tag: &quick_xml::events::BytesStart<'_>) -> Option<Self> {
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.ok()?;
            let key = String::from_utf8(attribute.key.as_ref().to_vec()).ok()?;
            attributes.push((key, attribute.unescape_value().ok()?.into_owned()));
        }
        let name = String::from_utf8(tag.name().as_ref().to_vec()).ok()?;
        Some(Self { name, attributes, ..Self::default() })
    }

    /// Writes a document, with declaration.
    pub fn document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (key, value) in &self.attributes {
            out.push_str(&format!(" {key}=\"{}\"", quick_xml::escape::escape(value)));
        }
        if self.text.is_empty() && self.children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        out.push_str(&quick_xml::escape::escape(&self.text));
        for child in &self.children {
            child.write(out);
        }
        out.push_str(&format!("</{}>", self.name));
    }

    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text at a path of children; empty when there is none.
    pub fn at(&self, path: &[&str]) -> &str {
        let found = path.iter().try_fold(self, |element, name| element.child(name));
        found.map(|element| element.text.trim()).unwrap_or_default()
    }

    /// The children of the element at a path (the items of a list).
    pub fn items(&self, path: &[&str]) -> &[Self] {
        let found = path.iter().try_fold(self, |element, name| element.child(name));
        found.map(|element| element.children.as_slice()).unwrap_or_default()
    }

    /// Sets the text of the first child of a name, adding the child when there is none.
    pub fn set(&mut self, name: &str, text: &str) {
        match self.children.iter_mut().find(|child| child.name == name) {
            Some(child) => {
                child.children.clear();
                child.text = text.to_owned();
            }
            None => self.children.push(Self::text(name, text)),
        }
    }

    /// Shows every element, parents first, to a function that may change it.
    pub fn each(&mut self, change: &mut impl FnMut(&mut Self)) {
        change(self);
        for child in &mut self.children {
            child.each(change);
        }
    }

    /// Whether some element below has just this text.
    pub fn mentions(&self, text: &str) -> bool {
        self.text.trim() == text || self.children.iter().any(|child| child.mentions(text))
    }

    /// As JSON: text, or a map of children; what stands more than once, and what stands in a list's wrapper, is an array.
    pub fn json(&self) -> Value {
        if self.children.is_empty() {
            return Value::String(self.text.trim().to_owned());
        }
        if self.is_list() {
            return self.children.iter().map(Self::json).collect();
        }
        let mut map = Map::new();
        for child in &self.children {
            let value = child.json();
            match map.get_mut(&child.name) {
                None => {
                    map.insert(child.name.clone(), value);
                }
                Some(Value::Array(list)) => list.push(value),
                Some(one) => *one = Value::Array(vec![one.take(), value]),
            }
        }
        Value::Object(map)
    }

    /// A list's wrapper has children of one name, which its own name is the plural of (`Changes`, `AddTags`), or which are
    /// called `member` or `item`.
    fn is_list(&self) -> bool {
        let Some(first) = self.children.first() else { return false };
        let plural = self.name.ends_with(&format!("{}s", first.name)) || self.name.ends_with("Keys");
        let wrapped = matches!(first.name.as_str(), "member" | "item");
        (plural || wrapped) && self.children.iter().all(|child| child.name == first.name)
    }
}

fn named(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CHANGES: &str = "<?xml version=\"1.0\"?><ChangeBatch xmlns=\"u\"><Changes><Change><Action>UPSERT</Action>\
        <Set><TTL>60</TTL><Value>&quot;a &amp; b&quot;</Value></Set></Change></Changes><Empty/></ChangeBatch>";

    #[test]
    fn what_is_read_is_written_again() {
        let read = Element::parse(CHANGES.as_bytes()).unwrap();
        assert_eq!(read.items(&["Changes"])[0].at(&["Set", "Value"]), "\"a & b\"");
        assert_eq!(Element::parse(read.document().as_bytes()).unwrap(), read);
        assert_eq!(read.attributes, [("xmlns".to_owned(), "u".to_owned())]);
    }

    #[test]
    fn a_list_of_one_is_still_a_list() {
        let read = Element::parse(CHANGES.as_bytes()).unwrap();
        let change = json!({ "Action": "UPSERT", "Set": { "TTL": "60", "Value": "\"a & b\"" } });
        assert_eq!(read.json(), json!({ "Changes": [change], "Empty": "" }));
    }

    #[test]
    fn what_is_cut_off_is_no_document() {
        assert_eq!(Element::parse(&CHANGES.as_bytes()[..60]), None);
        assert_eq!(Element::parse(b"{}"), None);
    }

    #[test]
    fn texts_are_set_and_found() {
        let mut read = Element::parse(b"<a><b>1</b></a>").unwrap();
        read.set("b", "2");
        read.set("c", "3");
        assert_eq!((read.at(&["b"]), read.at(&["c"])), ("2", "3"));
        assert!(read.mentions("3") && !read.mentions("1"));
    }
}
