//! CoreDNS's configuration, as far as it decides who answers a name.

/// One server block: the zones it serves, and its plugins with their arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Zones without a trailing dot and port; the root is empty.
    pub zones: Vec<String>,
    /// Each plugin's name and arguments, in the file's order.
    pub plugins: Vec<Vec<String>>,
}

/// What CoreDNS has built in, as far as a cluster's Corefile uses it.
const BUILT_IN: [&str; 20] = [
    "errors",
    "health",
    "ready",
    "kubernetes",
    "prometheus",
    "forward",
    "cache",
    "loop",
    "reload",
    "loadbalance",
    "log",
    "hosts",
    "rewrite",
    "template",
    "autopath",
    "bind",
    "debug",
    "import",
    "any",
    "bufsize",
];

/// Reads a Corefile for an image of CoreDNS.
///
/// # Errors
/// CoreDNS would not start: a brace too few or too many, or a plugin that the image does not have.
pub fn read(text: &str, image: &str) -> Result<Vec<Block>, String> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut depth = 0_u32;
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let opens = words.last().is_some_and(|word| word == "{");
        if words.is_empty() {
            continue;
        }
        if line == "}" {
            depth = depth.checked_sub(1).ok_or("Corefile: unexpected }")?;
            continue;
        }
        if opens {
            words.pop();
        }
        match (depth, blocks.last_mut()) {
            (0, _) if opens => {
                blocks.push(Block { zones: words.iter().map(|zone| zone_of(zone)).collect(), plugins: Vec::new() })
            }
            (1, Some(block)) => {
                let known = BUILT_IN.contains(&words[0].as_str())
                    || words[0] == "multicluster" && image.contains("multicluster");
                if !known {
                    return Err(format!("Corefile: Error during parsing: Unknown directive '{}'", words[0]));
                }
                block.plugins.push(words);
            }
            (0, _) => return Err(format!("Corefile: no server block around: {line}")),
            _ => {}
        }
        depth += u32::from(opens);
    }
    if depth == 0 { Ok(blocks) } else { Err("Corefile: Unexpected EOF, expecting }".into()) }
}

fn zone_of(text: &str) -> String {
    let zone = text.trim_end_matches(',').trim_start_matches("dns://");
    let zone = zone.rsplit_once(':').map_or(zone, |(zone, _)| zone);
    zone.trim_end_matches('.').to_lowercase()
}

/// The block that serves a name: the one with the longest zone.
pub fn serving<'a>(blocks: &'a [Block], name: &str) -> Option<&'a Block> {
    let fits = |block: &&Block| block.zones.iter().filter(|zone| within(name, zone)).map(String::len).max();
    blocks.iter().filter(|block| fits(block).is_some()).max_by_key(fits)
}

/// The name is in the zone.
pub fn within(name: &str, zone: &str) -> bool {
    zone.is_empty() || name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::{super::boot::COREFILE, *};

    #[test]
    fn the_longest_zone_serves() {
        let text = format!("{COREFILE}\nclusterset.local:53 {{\n    errors\n    forward . 172.20.0.99\n}}\n");
        let blocks = read(&text, "coredns:v1").unwrap();
        assert_eq!(serving(&blocks, "a.b.svc.clusterset.local").unwrap().zones, ["clusterset.local"]);
        assert_eq!(serving(&blocks, "a.b.svc.cluster.local").unwrap().zones, [""]);
        assert_eq!(serving(&blocks, "notclusterset.local").unwrap().zones, [""]);
    }

    #[test]
    fn a_plugin_that_the_image_lacks_stops_it() {
        let text = COREFILE.replace("    kubernetes", "    multicluster clusterset.local\n    kubernetes");
        assert!(read(&text, "eks/coredns:v1.11.4").unwrap_err().contains("multicluster"));
        assert!(read(&text, "ghcr.io/aws/coredns-multicluster/coredns:v1.8.6").is_ok());
        assert!(read(".:53 {\n errors\n", "coredns").is_err());
    }
}
