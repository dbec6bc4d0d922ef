//! IAM instance profiles, and the roles of services.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, text},
    lab::Lab,
};

fn at(lab: &Lab) -> Value {
    json!({ "instance_profile_name": lab.name("nodes") })
}

/// A profile of this case's own: the locator.
fn profile(lab: &Lab) -> Result<Value, Other> {
    lab.make("iam.create_instance_profile", at(lab))?;
    Ok(at(lab))
}

/// A profile with a role in it: the place's locator.
fn filled(lab: &Lab) -> Result<Value, Other> {
    profile(lab)?;
    add(lab, "web")
}

fn add(lab: &Lab, noun: &str) -> Result<Value, Other> {
    lab.role(noun, "ec2.amazonaws.com")?;
    lab.make("iam.add_role_to_instance_profile", place(lab, noun))?;
    Ok(place(lab, noun))
}

fn place(lab: &Lab, noun: &str) -> Value {
    json!({ "instance_profile_name": lab.name("nodes"), "role_name": lab.name(noun) })
}

fn service(name: &str) -> Value {
    json!({ "aws_service_name": format!("{name}.amazonaws.com") })
}

/// A role is put into a profile that is not there, or the role is not.
fn missing(lab: &Lab) -> Seen {
    lab.refused("iam.add_role_to_instance_profile", place(lab, "web"), &["NoSuchEntity"])
}

pub const CASES: &[Case] = &[
    Case {
        name: "an instance profile is described as it was made",
        aws: "the path `/`, an ARN with its name, an id that begins with AIPA, the tags",
        page: "iam/CreateInstanceProfile",
        run: |lab| {
            let made = lab.make("iam.create_instance_profile", at(lab))?;
            is(&made, "path", "/")?;
            let end = format!(":instance-profile/{}", lab.name("nodes"));
            holds(text(&made, "arn").ends_with(&end), "another ARN")?;
            holds(text(&made, "instance_profile_id").starts_with("AIPA"), "another form of id")?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a second instance profile of the same name",
        aws: "`EntityAlreadyExists`",
        page: "iam/CreateInstanceProfile",
        run: |lab| lab.refused_again("iam.create_instance_profile", at(lab), &["EntityAlreadyExists"]),
    },
    Case {
        name: "an instance profile is deleted twice",
        aws: "`NoSuchEntity`",
        page: "iam/DeleteInstanceProfile",
        run: |lab| lab.deleted_twice("iam.instance_profile", profile(lab)?, &["NoSuchEntity"]),
    },
    Case {
        name: "an instance profile with a role is deleted",
        aws: "`DeleteConflict`",
        page: "iam/DeleteInstanceProfile",
        run: |lab| {
            filled(lab)?;
            lab.delete("iam.instance_profile", at(lab)).refused(&["DeleteConflict"])
        },
    },
    Case {
        name: "a second role is put into an instance profile",
        aws: "`LimitExceeded`: it holds one",
        page: "iam/AddRoleToInstanceProfile",
        run: |lab| {
            filled(lab)?;
            lab.role("api", "ec2.amazonaws.com")?;
            lab.refused("iam.add_role_to_instance_profile", place(lab, "api"), &["LimitExceeded"])
        },
    },
    Case {
        name: "a role that does not exist is put into an instance profile",
        aws: "`NoSuchEntity`",
        page: "iam/AddRoleToInstanceProfile",
        run: |lab| {
            profile(lab)?;
            missing(lab)
        },
    },
    Case {
        name: "a role is put into an instance profile that does not exist",
        aws: "`NoSuchEntity`",
        page: "iam/AddRoleToInstanceProfile",
        run: |lab| {
            lab.role("web", "ec2.amazonaws.com")?;
            missing(lab)
        },
    },
    Case {
        name: "a role of an instance profile is deleted",
        aws: "`DeleteConflict`",
        page: "iam/DeleteRole",
        run: |lab| {
            filled(lab)?;
            lab.delete("iam.role", json!({ "role_name": lab.name("web") })).refused(&["DeleteConflict"])
        },
    },
    Case {
        name: "a role is taken out of an instance profile twice",
        aws: "`NoSuchEntity`; the profile can then be deleted",
        page: "iam/RemoveRoleFromInstanceProfile",
        run: |lab| {
            let place = filled(lab)?;
            lab.deleted_twice("iam.instance_profile_role", place, &["NoSuchEntity"])?;
            lab.delete("iam.instance_profile", at(lab)).ok()
        },
    },
    Case {
        name: "instance profiles below a path",
        aws: "those there, with the role in each, without tags",
        page: "iam/ListInstanceProfiles",
        run: |lab| {
            let path = format!("/{}/", lab.name("below"));
            let name = lab.name("nodes");
            lab.make("iam.create_instance_profile", json!({ "instance_profile_name": name, "path": path }))?;
            add(lab, "web")?;
            let found = lab.call("iam.list_instance_profiles", json!({ "path_prefix": path })).ok()?;
            holds(list(&found, "instance_profiles").len() == 1, "finds others")?;
            is(&found, "instance_profiles.0.instance_profile_name", name)?;
            is(&found, "instance_profiles.0.roles.0", lab.name("web"))
        },
    },
    Case {
        name: "one instance profile",
        aws: "with its tags; `NoSuchEntity` when there is none",
        page: "iam/GetInstanceProfile",
        run: |lab| {
            lab.tagged(&lab.call("iam.get_instance_profile", profile(lab)?).ok()?)?;
            let none = json!({ "instance_profile_name": lab.name("none") });
            lab.call("iam.get_instance_profile", none).refused(&["NoSuchEntity"])
        },
    },
    Case {
        name: "an instance profile that a controller made is deleted, its role first",
        aws: "both are free",
        page: "iam/DeleteInstanceProfile",
        run: |lab| {
            filled(lab)?;
            lab.call("iam.delete_instance_profile", at(lab)).ok()?;
            lab.gone("iam.instance_profile", at(lab))?;
            lab.delete("iam.role", json!({ "role_name": lab.name("web") })).ok()?;
            lab.call("iam.delete_instance_profile", at(lab)).refused(&["NoSuchEntity"])
        },
    },
    Case {
        name: "the role of a service is described as it was made",
        aws: "below a path with the service's name, named by the service",
        page: "iam/CreateServiceLinkedRole",
        run: |lab| {
            let made = lab.make("iam.create_service_linked_role", service("spot"))?;
            is(&made, "path", "/aws-service-role/spot.amazonaws.com/")?;
            is(&made, "role_name", "AWSServiceRoleForEC2Spot")
        },
    },
    Case {
        name: "a second role of a service",
        aws: "`InvalidInput`: the account has one",
        page: "iam/CreateServiceLinkedRole",
        run: |lab| lab.refused_again("iam.create_service_linked_role", service("autoscaling"), &["InvalidInput"]),
    },
    Case {
        name: "the role of a service is deleted twice",
        aws: "gone in the end, then `NoSuchEntity`",
        page: "iam/DeleteServiceLinkedRole",
        run: |lab| {
            let made = lab.make("iam.create_service_linked_role", service("rds"))?;
            let at = json!({ "aws_service_name": made["aws_service_name"], "role_name": made["role_name"] });
            lab.deleted_twice("iam.service_linked_role", at, &["NoSuchEntity"])
        },
    },
];
