//! Records of Route 53: what moto words wrongly, and the changes that Route 53 refuses.

use serde_json::Value;

use super::{answer::Answer, parse::Call, shared::Shared, xml::Element};

/// moto keeps the SOA record of a new zone as the text of a Python map.
pub(super) fn mended(answer: Answer) -> Answer {
    if !answer.ok() {
        return answer;
    }
    let mut document = answer.document();
    document.each(&mut |element| {
        let inner = element.text.strip_prefix("{'Value': '").and_then(|text| text.strip_suffix("'}"));
        if let Some(inner) = inner.map(str::to_owned) {
            element.text = inner;
        }
    });
    answer.with_document(&document)
}

/// Why Route 53 would refuse a batch: it creates what exists, or deletes what is not there or is different.
pub(super) async fn refused(shared: &Shared, call: &Call) -> Option<Answer> {
    let zone = call.text("HostedZoneId").trim_start_matches("/hostedzone/");
    let path = format!("/2013-04-01/hostedzone/{zone}/rrset");
    let records = shared.emulators.xml(&call.credential, "route53", &path).await.ok()?;
    let records = records.items(&["ResourceRecordSets"]);
    let changes = call.fields.pointer("/ChangeBatch/Changes").and_then(Value::as_array)?;
    let messages: Vec<String> = changes.iter().filter_map(|change| wrong(change, records)).collect();
    (!messages.is_empty())
        .then(|| Answer::error(call, 400, "InvalidChangeBatch", &format!("[{}]", messages.join(", "))))
}

fn wrong(change: &Value, records: &[Element]) -> Option<String> {
    let text = |path: &str| change.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let name = format!("{}.", text("/ResourceRecordSet/Name").trim_end_matches('.').to_lowercase());
    let (kind, set) = (text("/ResourceRecordSet/Type"), text("/ResourceRecordSet/SetIdentifier"));
    let same = |record: &&Element| {
        (record.at(&["Name"]), record.at(&["Type"]), record.at(&["SetIdentifier"])) == (name.as_str(), kind, set)
    };
    let found = records.iter().find(same);
    let which = format!("resource record set [name='{name}', type='{kind}']");
    match (text("/Action"), found) {
        ("CREATE", Some(_)) => Some(format!("Tried to create {which} but it already exists")),
        ("DELETE", None) => Some(format!("Tried to delete {which} but it was not found")),
        ("DELETE", Some(record)) => {
            let values = change.pointer("/ResourceRecordSet/ResourceRecords").and_then(Value::as_array);
            let values = values.into_iter().flatten().filter_map(|value| value.get("Value").and_then(Value::as_str));
            let mut asked: Vec<&str> = values.collect();
            let mut there: Vec<&str> =
                record.items(&["ResourceRecords"]).iter().map(|one| one.at(&["Value"])).collect();
            asked.sort_unstable();
            there.sort_unstable();
            let alias = change.pointer("/ResourceRecordSet/AliasTarget").is_some();
            let differs = !alias && (asked != there || text("/ResourceRecordSet/TTL") != record.at(&["TTL"]));
            differs.then(|| format!("Tried to delete {which} but the values provided do not match the current values"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn records() -> Element {
        Element::parse(
            b"<Sets><S><Name>a.z.</Name><Type>A</Type><TTL>60</TTL><ResourceRecords><R><Value>1.1.1.1</Value></R></ResourceRecords></S></Sets>",
        )
        .unwrap()
    }

    fn verdict(action: &str, name: &str, ttl: &str, value: &str) -> Option<String> {
        let set = json!({ "Name": name, "Type": "A", "TTL": ttl, "ResourceRecords": [{ "Value": value }] });
        wrong(&json!({ "Action": action, "ResourceRecordSet": set }), &records().children)
    }

    #[test]
    fn a_batch_that_does_not_fit_what_is_there_is_refused() {
        assert_eq!(verdict("DELETE", "a.z", "60", "1.1.1.1"), None);
        assert_eq!(verdict("UPSERT", "a.z", "61", "1.1.1.2"), None);
        assert_eq!(verdict("CREATE", "b.z.", "60", "1.1.1.1"), None);
        assert!(verdict("CREATE", "A.z.", "60", "1.1.1.1").unwrap().contains("already exists"));
        assert!(verdict("DELETE", "b.z", "60", "1.1.1.1").unwrap().contains("was not found"));
        for (ttl, value) in [("61", "1.1.1.1"), ("60", "1.1.1.2")] {
            assert!(verdict("DELETE", "a.z", ttl, value).unwrap().contains("do not match"));
        }
    }
}
