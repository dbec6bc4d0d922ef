//! ECR repositories and which images they keep.

use serde_json::{Value, json};

use crate::conformance::{
    case::{Case, Other, Seen, holds, is, list, text},
    lab::Lab,
};

/// A repository of this case's own: its locator.
fn repository(lab: &Lab) -> Result<Value, Other> {
    let input = json!({ "repository_name": lab.name("team/web") });
    lab.make("ecr.create_repository", input.clone())?;
    Ok(input)
}

/// A policy with a rule for each number of images that stay.
fn keeping(lab: &Lab, counts: &[i64], priority: fn(i64) -> i64) -> Value {
    let rule = |(n, count): (i64, &i64)| {
        let counted = if n > 0 { json!("tagged") } else { json!("any") };
        let mut selection = json!({ "tagStatus": counted, "countType": "imageCountMoreThan", "countNumber": count });
        if n > 0 {
            selection["tagPrefixList"] = json!(["v"]);
        }
        json!({ "rulePriority": priority(n), "selection": selection, "action": { "type": "expire" } })
    };
    let rules: Value = (0..).zip(counts).map(rule).collect();
    json!({ "repository_name": lab.name("team/web"), "lifecycle_policy_text": { "rules": rules } })
}

fn keep(lab: &Lab, count: i64) -> Value {
    keeping(lab, &[count], |_| 1)
}

/// A call about a repository that does not exist.
fn missing(lab: &Lab, function: &str, input: Value) -> Seen {
    lab.refused(function, input, &["RepositoryNotFoundException"])
}

pub const CASES: &[Case] = &[
    Case {
        name: "a repository is described as it was made",
        aws: "an ARN and an address with its name; tags may move, images are not scanned when nothing is said; the tags",
        page: "ecr/CreateRepository",
        run: |lab| {
            let made = lab.make("ecr.create_repository", json!({ "repository_name": lab.name("team/web") }))?;
            holds(text(&made, "arn").ends_with(&format!(":repository/{}", lab.name("team/web"))), "another ARN")?;
            holds(text(&made, "repository_uri").ends_with(&format!("/{}", lab.name("team/web"))), "another address")?;
            is(&made, "image_tag_mutability", "MUTABLE")?;
            is(&made, "image_scanning_configuration.scan_on_push", false)?;
            lab.tagged(&made)
        },
    },
    Case {
        name: "a repository whose tags stay and whose images are scanned",
        aws: "as it was asked for",
        page: "ecr/CreateRepository",
        run: |lab| {
            let made = lab.make(
                "ecr.create_repository",
                json!({
                    "repository_name": lab.name("team/web"), "image_tag_mutability": "IMMUTABLE",
                    "image_scanning_configuration": { "scan_on_push": true },
                }),
            )?;
            is(&made, "image_tag_mutability", "IMMUTABLE")
        },
    },
    Case {
        name: "a second repository of the same name",
        aws: "`RepositoryAlreadyExistsException`",
        page: "ecr/CreateRepository",
        run: |lab| {
            let input = json!({ "repository_name": lab.name("team/web") });
            lab.refused_again("ecr.create_repository", input, &["RepositoryAlreadyExistsException"])
        },
    },
    Case {
        name: "repositories by name",
        aws: "those named",
        page: "ecr/DescribeRepositories",
        run: |lab| {
            repository(lab)?;
            let input = json!({ "repository_names": [lab.name("team/web")] });
            let found = lab.call("ecr.describe_repositories", input).ok()?;
            holds(list(&found, "repositories").len() == 1, "finds others")?;
            is(&found, "repositories.0.repository_name", lab.name("team/web"))
        },
    },
    Case {
        name: "a repository that does not exist is described",
        aws: "`RepositoryNotFoundException`",
        page: "ecr/DescribeRepositories",
        run: |lab| missing(lab, "ecr.describe_repositories", json!({ "repository_names": [lab.name("none")] })),
    },
    Case {
        name: "the images of a new repository",
        aws: "none",
        page: "ecr/DescribeImages",
        run: |lab| {
            let found = lab.call("ecr.describe_images", repository(lab)?).ok()?;
            holds(found["image_details"].is_array() && list(&found, "image_details").is_empty(), "some")
        },
    },
    Case {
        name: "the images of a repository that does not exist",
        aws: "`RepositoryNotFoundException`",
        page: "ecr/DescribeImages",
        run: |lab| missing(lab, "ecr.describe_images", json!({ "repository_name": lab.name("none") })),
    },
    Case {
        name: "a repository keeps some images, then more",
        aws: "the second policy replaces the first",
        page: "ecr/PutLifecyclePolicy",
        run: |lab| {
            let at = repository(lab)?;
            lab.make("ecr.put_lifecycle_policy", keep(lab, 5))?;
            lab.make("ecr.put_lifecycle_policy", keep(lab, 9))?;
            let found = lab.standing("ecr.lifecycle_policy", at)?;
            is(&found, "lifecycle_policy_text.rules.0.selection.countNumber", 9)
        },
    },
    Case {
        name: "two rules of the same priority",
        aws: "`InvalidParameterException`",
        page: "ecr/PutLifecyclePolicy",
        run: |lab| {
            repository(lab)?;
            let input = keeping(lab, &[5, 9], |_| 1);
            lab.refused("ecr.put_lifecycle_policy", input, &["InvalidParameterException"])
        },
    },
    Case {
        name: "a rule that keeps no image",
        aws: "`InvalidParameterException`: the count is positive",
        page: "ecr/PutLifecyclePolicy",
        run: |lab| {
            repository(lab)?;
            lab.refused("ecr.put_lifecycle_policy", keep(lab, 0), &["InvalidParameterException"])
        },
    },
    Case {
        name: "a repository that does not exist keeps some images",
        aws: "`RepositoryNotFoundException`",
        page: "ecr/PutLifecyclePolicy",
        run: |lab| missing(lab, "ecr.put_lifecycle_policy", keep(lab, 5)),
    },
    Case {
        name: "a lifecycle policy is deleted twice",
        aws: "`LifecyclePolicyNotFoundException`",
        page: "ecr/DeleteLifecyclePolicy",
        run: |lab| {
            let at = repository(lab)?;
            lab.make("ecr.put_lifecycle_policy", keep(lab, 5))?;
            lab.deleted_twice("ecr.lifecycle_policy", at, &["LifecyclePolicyNotFoundException"])
        },
    },
    Case {
        name: "a repository is deleted twice",
        aws: "`RepositoryNotFoundException`; its lifecycle policy does not hold it",
        page: "ecr/DeleteRepository",
        run: |lab| {
            let at = repository(lab)?;
            lab.make("ecr.put_lifecycle_policy", keep(lab, 5))?;
            lab.deleted_twice("ecr.repository", at, &["RepositoryNotFoundException"])
        },
    },
];
