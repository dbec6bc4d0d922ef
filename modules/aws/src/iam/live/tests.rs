//! The shape of the requests to IAM, on the real SDK client.

use runbook_modules::error::Class;
use serde_json::{Value, json};

use crate::{
    iam::{call, driver},
    live::testing::{Wire, sent, tag_json, tags, xml_answer},
};

const NS: &str = "xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"";
const ROLE: &str = "<Role><Path>/</Path><RoleName>r</RoleName><RoleId>AROA1</RoleId>\
    <Arn>arn:aws:iam::123456789012:role/r</Arn><CreateDate>2026-11-20T19:18:00Z</CreateDate>\
    <AssumeRolePolicyDocument>%7B%22Statement%22%3A%5B%5D%7D</AssumeRolePolicyDocument>\
    <Tags><member><Key>Name</Key><Value>web</Value></member></Tags></Role>";

fn xml(operation: &str, inside: &str) -> (u16, String) {
    let text =
        format!("<{operation}Response {NS}><{operation}Result>{inside}</{operation}Result></{operation}Response>");
    xml_answer(&text)
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    let text = format!(
        "<ErrorResponse {NS}><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error><RequestId>q</RequestId></ErrorResponse>"
    );
    (status, text)
}

fn role() -> Value {
    json!({ "role_name": "r", "assume_role_policy_document": { "Statement": [] }, "max_session_duration": 3600 })
}

#[tokio::test]
async fn create_role_sends_document_and_tags_in_one_request() {
    let wire = Wire::answering([xml("CreateRole", ROLE)]);
    let (input, tags) = (role(), tags());
    let made = driver("iam.role").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], &made["arn"]), (&json!("r"), &json!("arn:aws:iam::123456789012:role/r")));
    assert_eq!(made["assume_role_policy_document"], json!({ "Statement": [] }));
    assert_eq!(made["tags"], json!({ "Name": "web" }));

    let form = wire.seen()[0].form();
    assert_eq!((form["Action"].as_str(), form["RoleName"].as_str()), ("CreateRole", "r"));
    assert_eq!(form["AssumeRolePolicyDocument"], r#"{"Statement":[]}"#);
    assert_eq!(form["MaxSessionDuration"], "3600");
    let sent_tags: serde_json::Map<String, Value> = (1..=tags.len())
        .map(|n| (form[&format!("Tags.member.{n}.Key")].clone(), json!(form[&format!("Tags.member.{n}.Value")])))
        .collect();
    assert_eq!(Value::Object(sent_tags), tag_json());
}

#[tokio::test]
async fn answers_are_sorted_into_classes() {
    let (input, tags) = (role(), tags());
    for (status, code, class) in [
        (409, "EntityAlreadyExists", Class::AlreadyExists),
        (400, "Throttling", Class::Throttled),
        (503, "Throttling", Class::Throttled),
        (500, "ServiceFailure", Class::Unknown),
        (403, "AccessDenied", Class::Refused),
        (403, "ExpiredToken", Class::Credentials),
        (404, "NoSuchEntity", Class::NotFound),
    ] {
        let wire = Wire::answering([refusal(status, code)]);
        let error = driver("iam.role").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (class, code));
        assert_eq!(wire.seen().len(), 1, "the SDK repeats nothing");
        assert_eq!(error.request_id.as_deref(), Some("req-1"));
    }
}

#[tokio::test]
async fn a_garbled_answer_is_unknown() {
    let wire = Wire::answering([(200, "<html>".to_owned())]);
    let (input, tags) = (role(), tags());
    let error = driver("iam.role").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
    assert_eq!(error.class, Class::Unknown);
}

#[tokio::test]
async fn a_missing_role_reads_as_none_and_its_deletion_as_not_found() {
    let wire =
        Wire::answering([refusal(404, "NoSuchEntity"), refusal(404, "NoSuchEntity"), refusal(409, "DeleteConflict")]);
    let role = driver("iam.role").unwrap();
    let at = json!({ "role_name": "r" });
    assert_eq!(role.read(&wire.clients, &at).await.unwrap(), None);
    assert_eq!(role.delete(&wire.clients, &at, None).await.unwrap_err().class, Class::NotFound);
    assert_eq!(role.delete(&wire.clients, &at, None).await.unwrap_err().class, Class::Blocked);
    assert_eq!(wire.seen()[1].form()["Action"], "DeleteRole");
}

#[tokio::test]
async fn what_was_attached_before_stays_attached() {
    let arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy";
    let listed = format!(
        "<AttachedPolicies><member><PolicyName>p</PolicyName><PolicyArn>{arn}</PolicyArn></member></AttachedPolicies><IsTruncated>false</IsTruncated>"
    );
    let empty = "<ResponseMetadata/>";
    let wire = Wire::answering([
        xml("ListAttachedRolePolicies", &listed),
        xml("AttachRolePolicy", empty),
        xml("DetachRolePolicy", empty),
    ]);
    let attachment = driver("iam.role_policy_attachment").unwrap();
    let (at, tags) = (json!({ "role_name": "r", "policy_arn": arn }), tags());
    let before = attachment.read(&wire.clients, &at).await.unwrap().unwrap();
    let made = attachment.create(&wire.clients, &sent(&at, &tags)).await.unwrap();
    assert_eq!((&before, before.get("tags")), (&made, None), "undo finds one of a lost answer as what bears no tags");
    attachment.delete(&wire.clients, &at, Some(&before)).await.unwrap();
    assert_eq!(wire.seen().len(), 2, "nothing is detached");
    attachment.delete(&wire.clients, &at, None).await.unwrap();
    let form = wire.seen()[2].form();
    assert_eq!((form["Action"].as_str(), form["PolicyArn"].as_str()), ("DetachRolePolicy", arn));
}

#[tokio::test]
async fn put_role_policy_writes_the_document_and_puts_back_what_stood_there() {
    let wire = Wire::answering([xml("PutRolePolicy", ""), xml("PutRolePolicy", ""), xml("DeleteRolePolicy", "")]);
    let policy = driver("iam.role_policy").unwrap();
    let (input, tags) =
        (json!({ "role_name": "r", "policy_name": "p", "policy_document": { "Statement": [1] } }), tags());
    policy.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    let before = json!({ "policy_document": { "Statement": [0] } });
    policy.delete(&wire.clients, &input, Some(&before)).await.unwrap();
    policy.delete(&wire.clients, &input, None).await.unwrap();
    let forms: Vec<_> = wire.seen().iter().map(|seen| seen.form()).collect();
    assert_eq!(forms[0]["PolicyDocument"], r#"{"Statement":[1]}"#);
    assert_eq!(forms[1]["PolicyDocument"], r#"{"Statement":[0]}"#);
    assert_eq!(forms[2]["Action"], "DeleteRolePolicy");
}

#[tokio::test]
async fn a_provider_is_found_by_its_issuer() {
    let arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example/id/1";
    let listed = format!("<OpenIDConnectProviderList><member><Arn>{arn}</Arn></member></OpenIDConnectProviderList>");
    let got = "<Url>oidc.example/id/1</Url><ClientIDList><member>sts.amazonaws.com</member></ClientIDList><ThumbprintList/>\
        <Tags><member><Key>Name</Key><Value>web</Value></member></Tags>";
    let made = format!("<OpenIDConnectProviderArn>{arn}</OpenIDConnectProviderArn>");
    let wire = Wire::answering([
        xml("CreateOpenIDConnectProvider", &made),
        xml("ListOpenIDConnectProviders", &listed),
        xml("GetOpenIDConnectProvider", got),
    ]);
    let provider = driver("iam.open_id_connect_provider").unwrap();
    let (input, tags) =
        (json!({ "url": "https://oidc.example/id/1", "client_id_list": ["sts.amazonaws.com"] }), tags());
    let made = provider.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(made["tags"], tag_json());
    let found = provider.find(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&found[0]["arn"], &found[0]["url"]), (&json!(arn), &input["url"]));
    assert_eq!(found[0]["client_id_list"], input["client_id_list"]);
    let form = wire.seen()[0].form();
    assert_eq!(
        (form["Url"].as_str(), form["ClientIDList.member.1"].as_str()),
        ("https://oidc.example/id/1", "sts.amazonaws.com")
    );
    assert_eq!(form["Tags.member.1.Key"], "Name");
}

#[tokio::test]
async fn an_access_keys_secret_is_in_the_answer_of_its_creation_alone() {
    let made = "<AccessKey><UserName>backup</UserName><AccessKeyId>AKIA1</AccessKeyId><Status>Active</Status>\
        <SecretAccessKey>hidden</SecretAccessKey><CreateDate>2026-11-20T19:18:00Z</CreateDate></AccessKey>";
    let member = |id: &str| {
        format!(
            "<member><UserName>backup</UserName><AccessKeyId>{id}</AccessKeyId><Status>Active</Status>\
             <CreateDate>2026-11-20T19:18:00Z</CreateDate></member>"
        )
    };
    let listed = format!(
        "<AccessKeyMetadata>{}{}</AccessKeyMetadata><IsTruncated>false</IsTruncated>",
        member("AKIA0"),
        member("AKIA1")
    );
    let wire = Wire::answering([
        xml("CreateAccessKey", made),
        xml("ListAccessKeys", &listed),
        xml("ListAccessKeys", &listed),
        xml("DeleteAccessKey", ""),
        refusal(404, "NoSuchEntity"),
    ]);
    let key = driver("iam.access_key").unwrap();
    let (input, tags) = (json!({ "user_name": "backup" }), tags());
    let made = key.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], &made["secret_access_key"]), (&json!("AKIA1"), &json!("hidden")));
    let found = key.find(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(found.iter().map(|key| key["id"].clone()).collect::<Value>(), json!(["AKIA0", "AKIA1"]));
    let at = json!({ "user_name": "backup", "access_key_id": "AKIA1" });
    assert_eq!(key.read(&wire.clients, &at).await.unwrap().unwrap().get("secret_access_key"), None);
    key.delete(&wire.clients, &at, None).await.unwrap();
    let form = wire.seen()[3].form();
    assert_eq!((form["Action"].as_str(), form["AccessKeyId"].as_str()), ("DeleteAccessKey", "AKIA1"));
    assert_eq!(key.find(&wire.clients, &sent(&input, &tags)).await.unwrap(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_user_is_made_with_path_and_tags() {
    let user = "<User><Path>/jobs/</Path><UserName>backup</UserName><UserId>AIDA1</UserId>\
        <Arn>arn:aws:iam::123456789012:user/jobs/backup</Arn><CreateDate>2026-11-20T19:18:00Z</CreateDate></User>";
    let wire = Wire::answering([xml("CreateUser", user), refusal(404, "NoSuchEntity"), xml("PutUserPolicy", "")]);
    let tags = tags();
    let input = json!({ "user_name": "backup", "path": "/jobs/" });
    let made = driver("iam.user").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!(made["arn"], "arn:aws:iam::123456789012:user/jobs/backup");
    assert_eq!(driver("iam.user").unwrap().read(&wire.clients, &input).await.unwrap(), None);
    let policy = json!({ "user_name": "backup", "policy_name": "p", "policy_document": { "Statement": [] } });
    driver("iam.user_policy").unwrap().create(&wire.clients, &sent(&policy, &tags)).await.unwrap();
    let seen = wire.seen();
    assert_eq!((seen[0].form()["Path"].as_str(), seen[0].form()["Tags.member.1.Key"].as_str()), ("/jobs/", "Name"));
    assert_eq!(seen[2].form()["PolicyDocument"], r#"{"Statement":[]}"#);
}

/// A profile with a role in it.
fn profile() -> String {
    format!(
        "<InstanceProfile><Path>/</Path><InstanceProfileName>p</InstanceProfileName><InstanceProfileId>AIPA1</InstanceProfileId>\
         <Arn>arn:aws:iam::123456789012:instance-profile/p</Arn><CreateDate>2026-11-20T19:18:00Z</CreateDate>\
         <Roles><member>{}</member></Roles></InstanceProfile>",
        ROLE.trim_start_matches("<Role>").trim_end_matches("</Role>")
    )
}

#[tokio::test]
async fn a_profile_that_holds_its_role_stands_already() {
    let profile = profile();
    let wire = Wire::answering([
        xml("CreateInstanceProfile", &profile),
        refusal(409, "LimitExceeded"),
        xml("GetInstanceProfile", &profile),
        xml("RemoveRoleFromInstanceProfile", ""),
    ]);
    let tags = tags();
    let input = json!({ "instance_profile_name": "p" });
    let made = driver("iam.instance_profile").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], &made["roles"]), (&json!("p"), &json!(["r"])));
    let role = driver("iam.instance_profile_role").unwrap();
    let held = json!({ "instance_profile_name": "p", "role_name": "r" });
    let error = role.create(&wire.clients, &sent(&held, &tags)).await.unwrap_err();
    assert_eq!(error.class, Class::AlreadyExists);
    role.delete(&wire.clients, &held, None).await.unwrap();
    let form = wire.seen()[3].form();
    assert_eq!((form["Action"].as_str(), form["RoleName"].as_str()), ("RemoveRoleFromInstanceProfile", "r"));
}

#[tokio::test]
async fn a_profile_of_others_is_emptied_and_deleted() {
    let listed = profile().replacen("<InstanceProfile>", "<InstanceProfiles><member>", 1);
    let listed =
        listed.replacen("</InstanceProfile>", "</member></InstanceProfiles><IsTruncated>false</IsTruncated>", 1);
    let wire = Wire::answering([
        xml("ListInstanceProfiles", &listed),
        xml("GetInstanceProfile", &profile()),
        refusal(404, "NoSuchEntity"),
        xml("DeleteInstanceProfile", ""),
        refusal(404, "NoSuchEntity"),
    ]);
    let (at, below, tags) = (json!({ "instance_profile_name": "p" }), json!({ "path_prefix": "/nodes/" }), tags());
    let list = call("iam.list_instance_profiles").unwrap();
    let listed = list.call(&wire.clients, &sent(&below, &tags)).await.unwrap();
    let first = &listed["instance_profiles"][0];
    assert_eq!((&first["roles"], first.get("tags")), (&json!(["r"]), None));
    let delete = call("iam.delete_instance_profile").unwrap();
    assert_eq!(delete.call(&wire.clients, &sent(&at, &tags)).await.unwrap(), json!({}), "its role was out already");
    let get = call("iam.get_instance_profile").unwrap();
    assert_eq!(get.call(&wire.clients, &sent(&at, &tags)).await.unwrap_err().class, Class::NotFound);
    let actions: Vec<String> = wire.seen().iter().map(|seen| seen.form()["Action"].clone()).collect();
    let emptied =
        ["GetInstanceProfile", "RemoveRoleFromInstanceProfile", "DeleteInstanceProfile", "GetInstanceProfile"];
    assert_eq!((actions[0].as_str(), &actions[1..]), ("ListInstanceProfiles", &emptied.map(str::to_owned)[..]));
    assert_eq!(wire.seen()[0].form()["PathPrefix"], "/nodes/");
}

#[tokio::test]
async fn a_linked_role_that_is_taken_is_found_by_its_service() {
    let taken =
        "Service role name AWSServiceRoleForEC2Spot has been taken in this account, please try a different suffix.";
    let text = format!(
        "<ErrorResponse {NS}><Error><Type>Sender</Type><Code>InvalidInput</Code><Message>{taken}</Message></Error><RequestId>q</RequestId></ErrorResponse>"
    );
    let listed = format!(
        "<Roles><member>{}</member></Roles><IsTruncated>false</IsTruncated>",
        ROLE.trim_start_matches("<Role>").trim_end_matches("</Role>")
    );
    let wire = Wire::answering([(400, text), xml("ListRoles", &listed)]);
    let (input, tags) = (json!({ "aws_service_name": "spot.amazonaws.com" }), tags());
    let row = driver("iam.service_linked_role").unwrap();
    assert_eq!(row.create(&wire.clients, &sent(&input, &tags)).await.unwrap_err().class, Class::AlreadyExists);
    assert_eq!(row.find(&wire.clients, &sent(&input, &tags)).await.unwrap()[0]["role_name"], "r");
    assert_eq!(wire.seen()[1].form()["PathPrefix"], "/aws-service-role/spot.amazonaws.com/");
}
