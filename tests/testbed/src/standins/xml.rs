//! XML answers of EC2, IAM and Route 53, as a tree.

use quick_xml::{Reader, events::Event};

/// An element with its text and its children; attributes and namespaces are left out.
#[derive(Debug, Default, Clone)]
pub struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a document; its root is the answer.
    ///
    /// # Errors
    /// It is no XML.
    pub fn read(document: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(document);
        let mut open = vec![Self::default()];
        loop {
            let event = reader.read_event().map_err(|error| format!("no XML: {error}: {document:.200}"))?;
            match event {
                Event::Start(start) => {
                    let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                    open.push(Self { name, ..Self::default() });
                }
                Event::Empty(start) => {
                    let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                    last(&mut open).children.push(Self { name, ..Self::default() });
                }
                Event::End(_) => {
                    let done = open.pop().unwrap_or_default();
                    last(&mut open).children.push(done);
                }
                Event::Text(text) => {
                    let decoded = text.decode().map_err(|error| format!("no XML: {error}"))?;
                    last(&mut open).text.push_str(&decoded);
                }
                Event::GeneralRef(entity) => {
                    let name = entity.decode().map_err(|error| format!("no XML: {error}"))?;
                    let referred = format!("&{name};");
                    let plain = quick_xml::escape::unescape(&referred).map_err(|error| format!("no XML: {error}"))?;
                    last(&mut open).text.push_str(&plain);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        last(&mut open).children.pop().ok_or_else(|| format!("no XML: {document:.200}"))
    }

    /// All elements under a path with slashes.
    pub fn all<'a>(&'a self, path: &str) -> Vec<&'a Self> {
        path.split('/').fold(vec![self], |found, name| {
            found.into_iter().flat_map(|e| e.children.iter().filter(move |c| c.name == name)).collect()
        })
    }

    /// The text of the first element under a path; empty when there is none.
    pub fn text(&self, path: &str) -> &str {
        self.all(path).first().map_or("", |found| found.text.trim())
    }

    /// The element's own text.
    pub fn own(&self) -> &str {
        self.text.trim()
    }

    /// The first element of that name, however deep.
    pub fn deep(&self, name: &str) -> Option<&Self> {
        if self.name == name { Some(self) } else { self.children.iter().find_map(|child| child.deep(name)) }
    }
}

fn last(open: &mut Vec<Element>) -> &mut Element {
    if open.is_empty() {
        open.push(Element::default());
    }
    let end = open.len() - 1;
    &mut open[end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_as_a_tree() {
        let read =
            Element::read("<?xml version=\"1.0\"?><R xmlns=\"x\"><set><item><a>1 &amp; 2</a></item><item/></set></R>")
                .unwrap();
        assert_eq!(read.all("set/item").len(), 2);
        assert_eq!(read.text("set/item/a"), "1 & 2");
        assert_eq!(read.deep("a").map(Element::own), Some("1 & 2"));
        assert!(Element::read("nothing").is_err());
    }
}
