//! What holds an undo: one obstacle each, as AWS and Kubernetes have them.

use serde_json::{Value, json};

use super::{
    super::Tried,
    account::{Change, Documents, foreign, key},
    held::Held,
    scripts::{self, AWS},
};

const REGION: &str = "us-east-1";
const INTERFACE: &str = "eni-0f0e1d2c3b4a59687";
const BALANCER_GROUP: &str = "sg-0f0e1d2c3b4a59687";
const FINALIZER: &str = "others.example/hold";
const CONTROL_PLANE: (&str, usize) = ("EKS control plane", 1);

/// All of them.
pub const ALL: &[Held] = &[
    Held {
        name: "a network interface was left in a subnet",
        script: || [AWS, scripts::NETWORK].concat(),
        plant: |documents| Ok(vec![interface(key(documents, "ec2.subnet")?)]),
        fault: None,
        says: &[("ec2.subnet", &["DependencyViolation", INTERFACE]), ("ec2.vpc", &["not tried", "subnet-"])],
        costs: &[],
        lift: removed,
        minutes: 15.0,
    },
    Held {
        name: "a load balancer's security group was left in the VPC",
        script: || [AWS, scripts::NETWORK].concat(),
        plant: |documents| {
            let body = json!({ "group_name": "k8s-elb-a1b2c3", "description": "Security group for Kubernetes ELB" });
            Ok(vec![foreign("ec2.security_group", REGION, BALANCER_GROUP, &[key(documents, "ec2.vpc")?], body)])
        },
        fault: None,
        says: &[("ec2.vpc", &["DependencyViolation", BALANCER_GROUP])],
        costs: &[],
        lift: removed,
        minutes: 15.0,
    },
    Held {
        name: "a cluster that stays would make its log group again",
        script: || scripts::cluster(scripts::LOG_GROUP, scripts::LOGGING, ""),
        plant: |documents| {
            let body = json!({ "cluster_name": "wedge", "nodegroup_name": "theirs", "status": "ACTIVE" });
            Ok(vec![foreign("eks.nodegroup", REGION, "wedge/theirs", &[key(documents, "eks.cluster")?], body)])
        },
        fault: None,
        says: &[("eks.cluster", &["ResourceInUseException", "wedge/theirs"]), ("logs.log_group", &["not tried"])],
        costs: &[CONTROL_PLANE],
        lift: removed,
        minutes: 15.0,
    },
    Held {
        name: "a bucket is not empty",
        script: || [AWS, scripts::BUCKET].concat(),
        plant: |_| {
            let body = json!({ "bucket": "wedge-data", "key": "theirs.csv", "size": 3 });
            Ok(vec![foreign("s3.object", "", "wedge-data/theirs.csv", &[], body)])
        },
        fault: None,
        says: &[
            ("s3.bucket", &["BucketNotEmpty", "theirs.csv", "--also s3://wedge-data"]),
            ("kms.key", &["not tried", "wedge-data"]),
        ],
        costs: &[("KMS key", 1), ("S3 bucket (by what it holds)", 1)],
        lift: removed,
        minutes: 1.0,
    },
    Held {
        name: "a finalizer is never removed",
        script: || scripts::cluster("", "", scripts::NAMESPACE),
        plant: |documents| {
            let (key, mut object) = map(documents)?;
            object["body"]["metadata"]["finalizers"] = json!([FINALIZER]);
            Ok(vec![(key, Some(object))])
        },
        fault: None,
        says: &[("k8s.object", &["NotGone", FINALIZER]), ("eks.cluster", &["not tried"])],
        costs: &[CONTROL_PLANE],
        lift: freed,
        minutes: 25.0,
    },
    Held {
        name: "a namespace stays Terminating",
        script: || scripts::cluster("", "", scripts::NAMESPACE),
        plant: theirs_held,
        fault: None,
        says: &[("k8s.object", &["NotGone", "theirs", FINALIZER]), ("eks.cluster", &["not tried", "Namespace"])],
        costs: &[CONTROL_PLANE],
        lift: removed,
        minutes: 15.0,
    },
    Held {
        name: "a node group fails to be deleted",
        script: || scripts::cluster("", "", scripts::NODES),
        plant: |documents| Ok(vec![interface(key(documents, "eks.nodegroup")?)]),
        fault: None,
        says: &[
            ("eks.nodegroup", &["DELETE_FAILED", "Ec2SecurityGroupDeletionFailure", INTERFACE]),
            ("eks.cluster", &["not tried", "wedge/nodes"]),
        ],
        costs: &[CONTROL_PLANE, ("node group", 1)],
        lift: removed,
        minutes: 20.0,
    },
    Held {
        name: "a database is protected from deletion",
        script: scripts::database,
        plant: |_| Ok(Vec::new()),
        fault: None,
        says: &[
            ("rds.db_instance", &["deletion protection", "--also rds:db:wedge"]),
            ("rds.db_subnet_group", &["not tried"]),
        ],
        costs: &[("RDS instance", 1)],
        lift: |documents, _| unprotected(documents, "rds.db_instance"),
        minutes: 1.0,
    },
    Held {
        name: "a cluster is protected from deletion",
        script: || scripts::cluster("", ", deletion_protection: true", ""),
        plant: |_| Ok(Vec::new()),
        fault: None,
        says: &[("eks.cluster", &["InvalidRequestException", "deletion protection"]), ("iam.role", &["not tried"])],
        costs: &[CONTROL_PLANE],
        lift: |documents, _| unprotected(documents, "eks.cluster"),
        minutes: 1.0,
    },
    Held {
        name: "a hosted zone has foreign records",
        script: || [AWS, scripts::ZONE].concat(),
        plant: |documents| {
            let zone = key(documents, "route53.hosted_zone")?;
            let id = zone.rsplit('|').next().unwrap_or_default();
            let record = format!("{id}/b.wedge.internal./A");
            let body = json!({
                "hosted_zone_id": id, "name": "b.wedge.internal.", "type": "A", "ttl": 60, "resource_records": ["10.0.0.2"],
            });
            Ok(vec![foreign("route53.record_set", "", &record, &[zone], body)])
        },
        fault: None,
        says: &[("route53.hosted_zone", &["HostedZoneNotEmpty", "b.wedge.internal"]), ("ec2.vpc", &["not tried"])],
        costs: &[("hosted zone", 1)],
        lift: removed,
        minutes: 15.0,
    },
    Held {
        name: "a role has a foreign policy attached",
        script: || [AWS, scripts::ROLE, scripts::QUEUE].concat(),
        plant: |documents| {
            let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
            let body = json!({ "role_name": "wedge", "policy_arn": arn });
            let held = [key(documents, "iam.role")?];
            Ok(vec![foreign("iam.role_policy_attachment", "", &format!("wedge/{arn}"), &held, body)])
        },
        fault: None,
        says: &[("iam.role", &["DeleteConflict", "ReadOnlyAccess"])],
        costs: &[],
        lift: removed,
        minutes: 15.0,
    },
    Held {
        name: "access is denied half-way through",
        script: || [AWS, scripts::NETWORK].concat(),
        plant: |_| Ok(Vec::new()),
        fault: Some(("denied", 3)),
        says: &[("ec2.subnet", &["AccessDenied"]), ("ec2.vpc", &["not tried"])],
        costs: &[],
        lift: |_, _| Vec::new(),
        minutes: 5.0,
    },
    Held {
        name: "access is denied from the beginning",
        script: || [AWS, scripts::NETWORK].concat(),
        plant: |_| Ok(Vec::new()),
        fault: Some(("denied", 1)),
        says: &[("ec2.nat_gateway", &["AccessDenied"]), ("ec2.vpc", &["not tried"])],
        costs: &[("Elastic IP address", 1), ("NAT gateway", 1)],
        lift: |_, _| Vec::new(),
        minutes: 5.0,
    },
];

/// An interface of somebody else's that holds what stands under a key.
fn interface(held: &str) -> Change {
    let body = json!({ "network_interface_id": INTERFACE, "description": "somebody's", "status": "in-use" });
    foreign("ec2.network_interface", REGION, INTERFACE, &[held], body)
}

/// The run's ConfigMap.
fn map(documents: &Documents) -> Tried<(String, Value)> {
    let key = "k8s.object|wedge|v1/ConfigMap/wedge/wedge";
    let object = documents.get(key).ok_or("no ConfigMap was made")?;
    Ok((key.to_owned(), object.clone()))
}

/// What was planted is taken out again.
fn removed(_: &Documents, planted: &[Change]) -> Vec<Change> {
    planted.iter().map(|(key, _)| (key.clone(), None)).collect()
}

/// Somebody's ConfigMap beside the run's, with a finalizer.
pub fn theirs_held(documents: &Documents) -> Tried<Vec<Change>> {
    let (key, mut object) = map(documents)?;
    let (key, id) = (key.replace("/wedge/wedge", "/wedge/theirs"), "v1/ConfigMap/wedge/theirs");
    object["id"] = id.into();
    object["token"] = "given".into();
    object["tags"] = json!({});
    object["body"]["id"] = id.into();
    let metadata = json!({ "name": "theirs", "namespace": "wedge", "uid": "0f0e1d2c", "finalizers": [FINALIZER] });
    object["body"]["metadata"] = metadata;
    Ok(vec![(key, Some(object))])
}

/// The finalizer's owner lets go: what is on its way out goes with its last finalizer.
fn freed(documents: &Documents, planted: &[Change]) -> Vec<Change> {
    let going = |key: &String| {
        documents.get(key).is_some_and(|object| object["body"]["metadata"]["deletionTimestamp"].is_string())
    };
    planted.iter().map(|(key, object)| (key.clone(), object.clone().filter(|_| !going(key)))).collect()
}

/// Somebody takes the protection back.
fn unprotected(documents: &Documents, kind: &str) -> Vec<Change> {
    let all = documents.iter().filter(|(_, object)| object["kind"] == kind);
    let freed = all.map(|(key, object)| {
        let mut object = object.clone();
        object["body"]["deletion_protection"] = false.into();
        (key.clone(), Some(object))
    });
    freed.collect()
}
