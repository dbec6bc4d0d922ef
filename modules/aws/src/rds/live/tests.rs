//! The shape of the requests to RDS, on the real SDK client.

use runbook_modules::{
    error::Class,
    resource::{Health, Kind as _},
};
use serde_json::{Value, json};

use crate::{
    live::testing::{Answer, Wire, sent, tag_json, tags, xml_answer},
    rds::{call, driver},
};

const NS: &str = "xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\"";

fn xml(operation: &str, inside: &str) -> Answer {
    let text =
        format!("<{operation}Response {NS}><{operation}Result>{inside}</{operation}Result></{operation}Response>");
    xml_answer(&text)
}

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    let text = format!(
        "<ErrorResponse {NS}><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>q</RequestId></ErrorResponse>"
    );
    (status, text)
}

fn instance(status: &str, protected: bool) -> String {
    format!(
        "<DBInstance><DBInstanceIdentifier>orders</DBInstanceIdentifier><DBInstanceStatus>{status}</DBInstanceStatus>\
         <DBInstanceArn>arn:aws:rds:us-east-1:1:db:orders</DBInstanceArn><DbiResourceId>db-ABCDEFGHIJKL</DbiResourceId>\
         <Engine>postgres</Engine><EngineVersion>16.10</EngineVersion><DeletionProtection>{protected}</DeletionProtection>\
         <Endpoint><Address>orders.c1.us-east-1.rds.amazonaws.com</Address><Port>5432</Port></Endpoint>\
         <VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId></VpcSecurityGroupMembership></VpcSecurityGroups>\
         <DBSubnetGroup><DBSubnetGroupName>s</DBSubnetGroupName><VpcId>vpc-1</VpcId></DBSubnetGroup>\
         <TagList><Tag><Key>Name</Key><Value>web</Value></Tag></TagList></DBInstance>"
    )
}

fn listed(status: &str, protected: bool) -> Answer {
    xml("DescribeDBInstances", &format!("<DBInstances>{}</DBInstances>", instance(status, protected)))
}

fn asked() -> Value {
    json!({
        "db_instance_identifier": "orders", "db_instance_class": "db.t4g.medium", "engine": "postgres", "engine_version": "16",
        "allocated_storage": 20, "master_username": "app", "master_user_password": "s3cret", "multi_az": true,
        "vpc_security_group_ids": ["sg-1"], "db_subnet_group_name": "s", "deletion_protection": true,
        "enable_cloudwatch_logs_exports": ["postgresql", "upgrade"], "lift_deletion_protection": true,
    })
}

#[tokio::test]
async fn create_db_instance_sends_tags_and_nothing_about_its_deletion() {
    let wire = Wire::answering([xml("CreateDBInstance", &instance("creating", true))]);
    let (input, tags) = (asked(), tags());
    let made = driver("rds.db_instance").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], &made["db_instance_status"]), (&json!("orders"), &json!("creating")));
    assert_eq!(made["endpoint"], json!({ "address": "orders.c1.us-east-1.rds.amazonaws.com", "port": 5432 }));
    assert_eq!(crate::rds::db_instance::differences(&json!({ "engine_version": "16" }), &made), []);
    assert!(made.get("master_user_password").is_none());
    let form = wire.seen()[0].form();
    assert_eq!((form["Action"].as_str(), form["DBInstanceIdentifier"].as_str()), ("CreateDBInstance", "orders"));
    assert_eq!((form["MasterUserPassword"].as_str(), form["MultiAZ"].as_str()), ("s3cret", "true"));
    assert_eq!(form["VpcSecurityGroupIds.VpcSecurityGroupId.1"], "sg-1");
    assert_eq!(form["EnableCloudwatchLogsExports.member.2"], "upgrade");
    let sent_tags: serde_json::Map<String, Value> = (1..=tags.len())
        .map(|n| (form[&format!("Tags.Tag.{n}.Key")].clone(), json!(form[&format!("Tags.Tag.{n}.Value")])))
        .collect();
    assert_eq!(Value::Object(sent_tags), tag_json());
    assert!(!form.keys().any(|field| field.contains("Snapshot") || field.contains("Lift")), "{form:?}");
}

#[tokio::test]
async fn a_protected_instance_is_lifted_first_and_deleted_next() {
    let wire = Wire::answering([
        listed("available", true),
        xml("ModifyDBInstance", &instance("available", false)),
        listed("available", false),
        xml("DeleteDBInstance", &instance("deleting", false)),
        listed("deleting", false),
    ]);
    let row = driver("rds.db_instance").unwrap();
    let at = json!({ "db_instance_identifier": "orders", "lift_deletion_protection": true });
    let blocked = row.delete(&wire.clients, &at, None).await.unwrap_err();
    assert_eq!((blocked.class, blocked.code.as_str()), (Class::Blocked, "DeletionProtection"));
    row.delete(&wire.clients, &at, None).await.unwrap();
    row.delete(&wire.clients, &at, None).await.unwrap();
    let forms: Vec<_> = wire.seen().iter().map(|seen| seen.form()).collect();
    assert_eq!((forms[1]["Action"].as_str(), forms[1]["DeletionProtection"].as_str()), ("ModifyDBInstance", "false"));
    assert_eq!(forms[1]["ApplyImmediately"], "true");
    assert_eq!(forms[3]["FinalDBSnapshotIdentifier"], "orders-final-abcdefgh");
    assert_eq!(forms.len(), 5, "one that is on its way out is not deleted again");
}

#[tokio::test]
async fn what_failed_before_its_first_use_says_why_and_goes_without_snapshot_and_protection() {
    let unborn = |protected| {
        let (status, body) = listed("incompatible-network", protected);
        let endpoint = body.find("<Endpoint>").unwrap()..body.find("</Endpoint>").unwrap() + "</Endpoint>".len();
        (status, body.replace(&body[endpoint], ""))
    };
    let event = |at: &str, said: &str| format!("<Event><Message>{said}</Message><Date>2026-11-22T{at}Z</Date></Event>");
    let events = || {
        let told = [event("10:05:00", "no subnet left"), event("10:00:00", "DB instance created")].concat();
        xml("DescribeEvents", &format!("<Events>{told}</Events>"))
    };
    let wire = Wire::answering([
        unborn(true),
        events(),
        xml("ModifyDBInstance", &instance("incompatible-network", false)),
        unborn(false),
        events(),
        xml("DeleteDBInstance", &instance("deleting", false)),
        unborn(false),
        events(),
    ]);
    let (row, at) = (driver("rds.db_instance").unwrap(), json!({ "db_instance_identifier": "orders" }));
    assert_eq!(row.delete(&wire.clients, &at, None).await.unwrap_err().code, "DeletionProtection");
    row.delete(&wire.clients, &at, None).await.unwrap();
    let found = row.read(&wire.clients, &at).await.unwrap().unwrap();
    let why = Health::Failed("incompatible-network: no subnet left".to_owned());
    assert_eq!(crate::rds::db_instance::KIND.judge(&found), why);
    let forms: Vec<_> = wire.seen().iter().map(|seen| seen.form()).collect();
    assert_eq!((forms[1]["SourceIdentifier"].as_str(), forms[1]["SourceType"].as_str()), ("orders", "db-instance"));
    assert_eq!((forms[2]["Action"].as_str(), forms[2]["DeletionProtection"].as_str()), ("ModifyDBInstance", "false"));
    assert_eq!((forms[5]["Action"].as_str(), forms[5]["SkipFinalSnapshot"].as_str()), ("DeleteDBInstance", "true"));
    assert_eq!(forms[5].get("FinalDBSnapshotIdentifier"), None);
}

#[tokio::test]
async fn what_failed_after_it_was_used_keeps_its_last_snapshot_and_its_protection() {
    let events = || xml("DescribeEvents", "<Events/>");
    let wire = Wire::answering([
        listed("incompatible-network", false),
        events(),
        xml("DeleteDBInstance", &instance("deleting", false)),
    ]);
    let at = json!({ "db_instance_identifier": "orders" });
    driver("rds.db_instance").unwrap().delete(&wire.clients, &at, None).await.unwrap();
    assert_eq!(wire.seen()[2].form()["FinalDBSnapshotIdentifier"], "orders-final-abcdefgh");
}

#[tokio::test]
async fn without_consent_the_refusal_is_rdss_own() {
    let text = "Cannot delete protected DB Instance, please disable deletion protection and try again.";
    let wire = Wire::answering([
        listed("available", true),
        refusal(400, "InvalidParameterCombination", text),
        listed("available", true),
    ]);
    let row = driver("rds.db_instance").unwrap();
    let at = json!({ "db_instance_identifier": "orders", "skip_final_snapshot": true });
    let refused = row.delete(&wire.clients, &at, None).await.unwrap_err();
    assert_eq!((refused.class, refused.message.as_str()), (Class::Refused, text));
    assert_eq!(wire.seen()[1].form()["SkipFinalSnapshot"], "true");
    assert!(row.obstacles(&wire.clients, &at).await[0].contains("--also rds:db:orders"));
}

#[tokio::test]
async fn answers_are_sorted_into_classes() {
    let (input, tags) = (asked(), tags());
    for (status, code, message, class) in [
        (400, "DBInstanceAlreadyExists", "no", Class::AlreadyExists),
        (404, "DBSubnetGroupNotFoundFault", "no", Class::NotFound),
        (
            400,
            "InvalidParameterValue",
            "it does not include the required permissions for: ENHANCED_MONITORING",
            Class::NotYet,
        ),
        (400, "InvalidParameterValue", "no", Class::Refused),
        (500, "InternalFailure", "no", Class::Unknown),
    ] {
        let wire = Wire::answering([refusal(status, code, message)]);
        let error = driver("rds.db_instance").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (class, code));
    }
    let busy =
        [refusal(400, "InvalidDBSubnetGroupStateFault", "in use"), refusal(404, "DBSubnetGroupNotFoundFault", "gone")];
    let wire = Wire::answering(busy);
    let (row, at) = (driver("rds.db_subnet_group").unwrap(), json!({ "db_subnet_group_name": "s" }));
    assert_eq!(row.delete(&wire.clients, &at, None).await.unwrap_err().class, Class::Blocked);
    assert_eq!(row.read(&wire.clients, &at).await.unwrap(), None);
}

#[tokio::test]
async fn a_group_is_read_with_its_tags() {
    let group = "<DBSubnetGroups><DBSubnetGroup><DBSubnetGroupName>s</DBSubnetGroupName><DBSubnetGroupArn>arn:g</DBSubnetGroupArn>\
        <VpcId>vpc-1</VpcId><Subnets><Subnet><SubnetIdentifier>subnet-2</SubnetIdentifier></Subnet></Subnets></DBSubnetGroup></DBSubnetGroups>";
    let tags = "<TagList><Tag><Key>Name</Key><Value>web</Value></Tag></TagList>";
    let wire = Wire::answering([xml("DescribeDBSubnetGroups", group), xml("ListTagsForResource", tags)]);
    let at = json!({ "db_subnet_group_name": "s" });
    let found = driver("rds.db_subnet_group").unwrap().read(&wire.clients, &at).await.unwrap().unwrap();
    assert_eq!((&found["subnet_ids"], &found["tags"]), (&json!(["subnet-2"]), &json!({ "Name": "web" })));
    assert_eq!(wire.seen()[1].form()["ResourceName"], "arn:g");
}

#[tokio::test]
async fn create_db_cluster_and_its_deletion() {
    let cluster = "<DBCluster><DBClusterIdentifier>notes</DBClusterIdentifier><Status>available</Status>\
        <DbClusterResourceId>cluster-ABCDEFGHIJKL</DbClusterResourceId><Endpoint>notes.cluster-1.rds.amazonaws.com</Endpoint>\
        <DBClusterMembers><DBClusterMember><DBInstanceIdentifier>notes-1</DBInstanceIdentifier><IsClusterWriter>true</IsClusterWriter></DBClusterMember></DBClusterMembers></DBCluster>";
    let all = format!("<DBClusters>{cluster}</DBClusters>");
    let wire = Wire::answering([
        xml("CreateDBCluster", cluster),
        xml("DescribeDBClusters", &all),
        refusal(400, "InvalidDBClusterStateFault", "Cluster cannot be deleted, it still contains DB instances"),
    ]);
    let row = driver("rds.db_cluster").unwrap();
    let input = json!({
        "db_cluster_identifier": "notes", "engine": "aurora-postgresql", "master_username": "app", "master_user_password": "s3cret",
        "serverless_v2_scaling_configuration": { "min_capacity": 0.5, "max_capacity": 4.0 },
    });
    let tags = tags();
    let made = row.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], &made["db_cluster_members"][0]["is_cluster_writer"]), (&json!("notes"), &json!(true)));
    let at = json!({ "db_cluster_identifier": "notes" });
    assert_eq!(row.delete(&wire.clients, &at, None).await.unwrap_err().class, Class::Blocked);
    let forms: Vec<_> = wire.seen().iter().map(|seen| seen.form()).collect();
    assert_eq!(forms[0]["ServerlessV2ScalingConfiguration.MinCapacity"], "0.5");
    assert_eq!(forms[2]["FinalDBSnapshotIdentifier"], "notes-final-abcdefgh");
}

#[tokio::test]
async fn a_proxy_and_its_targets() {
    let proxy = "<DBProxy><DBProxyName>orders</DBProxyName><Status>creating</Status><Endpoint>orders.proxy-1</Endpoint></DBProxy>";
    let target = |state: &str| {
        format!(
            "<member><RdsResourceId>orders</RdsResourceId><Type>RDS_INSTANCE</Type><TargetHealth><State>{state}</State></TargetHealth></member>"
        )
    };
    let registered = format!("<DBProxyTargets>{}</DBProxyTargets>", target("REGISTERING"));
    let reached = format!("<Targets>{}</Targets>", target("AVAILABLE"));
    let wire = Wire::answering([
        xml("CreateDBProxy", proxy),
        xml("RegisterDBProxyTargets", &registered),
        xml("DescribeDBProxyTargets", &reached),
        xml("DeregisterDBProxyTargets", ""),
        refusal(404, "DBProxyNotFoundFault", "gone"),
    ]);
    let tags = tags();
    let input = json!({
        "db_proxy_name": "orders", "engine_family": "POSTGRESQL", "role_arn": "arn:r", "vpc_subnet_ids": ["subnet-1", "subnet-2"],
        "auth": [{ "auth_scheme": "SECRETS", "secret_arn": "arn:s", "iam_auth": "DISABLED", "client_password_auth_type": "POSTGRES_SCRAM_SHA_256" }],
        "require_tls": true,
    });
    let made = driver("rds.db_proxy").unwrap().create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["endpoint"], &made["tags"]), (&json!("orders.proxy-1"), &tag_json()));
    let row = driver("rds.db_proxy_targets").unwrap();
    let input = json!({ "db_proxy_name": "orders", "db_instance_identifiers": ["orders"] });
    let made = row.create(&wire.clients, &sent(&input, &tags)).await.unwrap();
    assert_eq!((&made["id"], &made["state"]), (&json!("orders/orders"), &json!("REGISTERING")));
    assert_eq!(row.read(&wire.clients, &input).await.unwrap().unwrap()["state"], "AVAILABLE");
    row.delete(&wire.clients, &input, None).await.unwrap();
    assert_eq!(row.read(&wire.clients, &input).await.unwrap(), None);
    let forms: Vec<_> = wire.seen().iter().map(|seen| seen.form()).collect();
    assert_eq!(forms[0]["Auth.member.1.ClientPasswordAuthType"], "POSTGRES_SCRAM_SHA_256");
    assert_eq!(forms[0]["VpcSubnetIds.member.2"], "subnet-2");
    assert_eq!(
        (forms[1]["TargetGroupName"].as_str(), forms[1]["DBInstanceIdentifiers.member.1"].as_str()),
        ("default", "orders")
    );
    assert_eq!(forms[3]["Action"], "DeregisterDBProxyTargets");
}

#[tokio::test]
async fn versions_come_in_pages() {
    let page = |version: &str, marker: &str| {
        let one = format!(
            "<DBEngineVersion><Engine>postgres</Engine><EngineVersion>{version}</EngineVersion></DBEngineVersion>"
        );
        xml("DescribeDBEngineVersions", &format!("{marker}<DBEngineVersions>{one}</DBEngineVersions>"))
    };
    let wire = Wire::answering([page("16.9", "<Marker>m</Marker>"), page("16.10", "")]);
    let (query, tags) = (json!({ "engine": "postgres", "engine_version": "16" }), tags());
    let found =
        call("rds.describe_db_engine_versions").unwrap().call(&wire.clients, &sent(&query, &tags)).await.unwrap();
    assert_eq!(found["db_engine_versions"][1]["engine_version"], "16.10");
    assert_eq!(wire.seen()[1].form()["Marker"], "m");
}
