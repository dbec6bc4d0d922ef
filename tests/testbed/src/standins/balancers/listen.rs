//! What a load balancer listens to, and where it sends that: target groups, listeners, rules, targets, its web ACL.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    build::Site,
    form::{self, ELB, Form, Part},
    targets::targets,
    wanted::{Port, Target},
};

/// The ARN of each target group, by what it sends to.
type Arns = BTreeMap<Target, String>;
/// Host, path and target group of a rule.
type Rule = (String, String, String);

impl Site<'_> {
    /// Brings all of it in line with what is asked for. What is too much goes last: a target group is in use until then.
    pub(super) async fn listen(&self, balancer: &Part) -> Result<(), String> {
        let standing = form::groups(&self.inside.aws, &self.inside.name).await?;
        let mut arns = Arns::new();
        for target in self.stack.targets(self.seen) {
            let name = self.name(&format!("{}/{}", target.namespace, target.service), &self.salt(&target));
            let there = standing.iter().find(|group| group.name == name && self.owns(&group.tags));
            let arn = match there {
                Some(there) => there.arn.clone(),
                None => self.target_group(&name, &target).await?,
            };
            self.fill(&target, &arn).await?;
            arns.insert(target, arn);
        }
        self.listeners(balancer, &arns).await?;
        for group in standing.iter().filter(|group| self.owns(&group.tags)) {
            if !arns.values().any(|arn| *arn == group.arn) {
                self.inside.aws.query(ELB, "DeleteTargetGroup", &[("TargetGroupArn", &group.arn)]).await?;
            }
        }
        Ok(())
    }

    fn salt(&self, target: &Target) -> String {
        format!("{} {}", target.port, self.stack.name)
    }

    async fn target_group(&self, name: &str, target: &Target) -> Result<String, String> {
        let ports = self.stack.ports();
        let kind = self.stack.target_type();
        let udp = ports.iter().any(|port| port.target.as_ref() == Some(target) && port.protocol == "UDP");
        let protocol = match (self.stack.network, udp) {
            (false, _) => "HTTP",
            (true, true) => "UDP",
            (true, false) => "TCP",
        };
        // Where no target is yet, any port will do: each target is registered with its own.
        let port = targets(self.seen, kind, target).first().map_or(target.port, |(_, port)| *port);
        let mut asked = Form::of(&[("Name", name), ("Protocol", protocol), ("VpcId", self.vpc), ("TargetType", kind)]);
        asked.put("Port", port);
        let part = format!("{}/{}:{}", target.namespace, target.service, target.port);
        asked.tags("Tags.member", &self.tags(&part));
        let made = asked.ask(&self.inside.aws, ELB, "CreateTargetGroup").await?;
        Ok(made.text("CreateTargetGroupResult/TargetGroups/member/TargetGroupArn").to_owned())
    }

    /// Registers the targets that are there, and takes those off that are gone.
    async fn fill(&self, target: &Target, group: &str) -> Result<(), String> {
        let health = self.inside.aws.query(ELB, "DescribeTargetHealth", &[("TargetGroupArn", group)]).await?;
        let listed = health.all("DescribeTargetHealthResult/TargetHealthDescriptions/member/Target");
        let listed: Vec<(String, i64)> =
            listed.iter().map(|one| (one.text("Id").to_owned(), one.text("Port").parse().unwrap_or(0))).collect();
        let wanted = targets(self.seen, self.stack.target_type(), target);
        let without = |these: &[(String, i64)], others: &[(String, i64)]| {
            these.iter().filter(|one| !others.contains(one)).cloned().collect::<Vec<_>>()
        };
        let changes =
            [("DeregisterTargets", without(&listed, &wanted)), ("RegisterTargets", without(&wanted, &listed))];
        for (action, targets) in changes {
            if targets.is_empty() {
                continue;
            }
            let mut asked = Form::of(&[("TargetGroupArn", group)]);
            for (place, (id, port)) in (1..).zip(targets) {
                asked.put(&format!("Targets.member.{place}.Id"), id);
                asked.put(&format!("Targets.member.{place}.Port"), port);
            }
            asked.ask(&self.inside.aws, ELB, action).await?;
        }
        Ok(())
    }

    async fn listeners(&self, balancer: &Part, arns: &Arns) -> Result<(), String> {
        let asked = [("LoadBalancerArn", balancer.arn.as_str())];
        let found = self.inside.aws.query(ELB, "DescribeListeners", &asked).await?;
        let mut standing: BTreeMap<(String, String), String> = BTreeMap::new();
        for one in found.all("DescribeListenersResult/Listeners/member") {
            let key = (one.text("Port").to_owned(), one.text("Protocol").to_owned());
            standing.insert(key, one.text("ListenerArn").to_owned());
        }
        let ports = self.stack.ports();
        let asked_for = |key: &(String, String)| ports.iter().any(|port| *key == key_of(port));
        for arn in standing.iter().filter(|(key, _)| !asked_for(key)).map(|(_, arn)| arn) {
            self.inside.aws.query(ELB, "DeleteListener", &[("ListenerArn", arn)]).await?;
        }
        for port in &ports {
            let arn = match standing.get(&key_of(port)) {
                Some(arn) => arn.clone(),
                None => self.listener(balancer, port, arns).await?,
            };
            if port.target.is_none() && !self.redirects(port) {
                self.rules(&arn, arns).await?;
            }
        }
        Ok(())
    }

    fn redirects(&self, port: &Port) -> bool {
        port.protocol == "HTTP" && self.stack.redirect().is_some()
    }

    async fn listener(&self, balancer: &Part, port: &Port, arns: &Arns) -> Result<String, String> {
        let mut asked = Form::of(&[("LoadBalancerArn", &balancer.arn), ("Protocol", &port.protocol)]);
        asked.put("Port", port.port);
        let certificates = self.stack.certificates();
        let secured = matches!(port.protocol.as_str(), "TLS" | "HTTPS");
        if let Some(first) = certificates.first().filter(|_| secured) {
            asked.put("Certificates.member.1.CertificateArn", first);
        }
        let action = |field: &str| format!("DefaultActions.member.1.{field}");
        match (&port.target, self.stack.redirect()) {
            (Some(target), _) => {
                asked.put(&action("Type"), "forward");
                asked.put(&action("TargetGroupArn"), arns.get(target).ok_or("a listener without a target group")?);
            }
            (None, Some(to)) if self.redirects(port) => {
                asked.put(&action("Type"), "redirect");
                asked.put(&action("RedirectConfig.Protocol"), "HTTPS");
                asked.put(&action("RedirectConfig.Port"), to);
                asked.put(&action("RedirectConfig.StatusCode"), "HTTP_301");
            }
            (None, _) => {
                asked.put(&action("Type"), "fixed-response");
                asked.put(&action("FixedResponseConfig.StatusCode"), "404");
                asked.put(&action("FixedResponseConfig.ContentType"), "text/plain");
            }
        }
        asked.tags("Tags.member", &self.tags(&port.port.to_string()));
        let made = asked.ask(&self.inside.aws, ELB, "CreateListener").await?;
        let arn = made.text("CreateListenerResult/Listeners/member/ListenerArn").to_owned();
        if secured && certificates.len() > 1 {
            let mut more = Form::of(&[("ListenerArn", &arn)]);
            for (place, certificate) in (1..).zip(&certificates[1..]) {
                more.put(&format!("Certificates.member.{place}.CertificateArn"), certificate);
            }
            more.ask(&self.inside.aws, ELB, "AddListenerCertificates").await?;
        }
        Ok(arn)
    }

    /// The rules of a listener, in their order: all anew when they are not as they should be.
    async fn rules(&self, listener: &str, arns: &Arns) -> Result<(), String> {
        let aws = &self.inside.aws;
        let wanted: Vec<Rule> = self
            .stack
            .rules(self.seen)
            .into_iter()
            .filter_map(|rule| Some((rule.host, rule.path, arns.get(&rule.target)?.clone())))
            .collect();
        let described = aws.query(ELB, "DescribeRules", &[("ListenerArn", listener)]).await?;
        let mut standing: Vec<(u32, String, Rule)> = Vec::new();
        for rule in described.all("DescribeRulesResult/Rules/member") {
            // The default rule's priority is no number.
            let Ok(priority) = rule.text("Priority").parse() else { continue };
            let value = |field: &str| {
                let conditions = rule.all("Conditions/member");
                let one = conditions.into_iter().find(|one| one.text("Field") == field);
                one.and_then(|one| one.deep("Values")).map_or("", |values| values.text("member")).to_owned()
            };
            let group = rule.text("Actions/member/TargetGroupArn").to_owned();
            standing.push((
                priority,
                rule.text("RuleArn").to_owned(),
                (value("host-header"), value("path-pattern"), group),
            ));
        }
        standing.sort();
        if standing.iter().map(|(_, _, rule)| rule).eq(&wanted) {
            return Ok(());
        }
        for (_, arn, _) in &standing {
            aws.query(ELB, "DeleteRule", &[("RuleArn", arn)]).await?;
        }
        for (priority, (host, path, group)) in (1..).zip(&wanted) {
            let mut asked = Form::of(&[("ListenerArn", listener)]);
            asked.put("Priority", priority);
            let conditions = [("path-pattern", "PathPatternConfig", path), ("host-header", "HostHeaderConfig", host)];
            let said = conditions.into_iter().filter(|(_, _, value)| !value.is_empty());
            for (place, (field, config, value)) in (1..).zip(said) {
                asked.put(&format!("Conditions.member.{place}.Field"), field);
                asked.put(&format!("Conditions.member.{place}.{config}.Values.member.1"), value);
            }
            asked.put("Actions.member.1.Type", "forward");
            asked.put("Actions.member.1.TargetGroupArn", group);
            asked.ask(aws, ELB, "CreateRule").await?;
        }
        Ok(())
    }

    /// The web ACL that an annotation names; one that none names is taken off, whoever put it there.
    pub(super) async fn web_acl(&self, balancer: &Part) -> Result<(), String> {
        if self.stack.network {
            return Ok(());
        }
        let (aws, wanted) = (&self.inside.aws, self.stack.says("wafv2-acl-arn"));
        let ask = json!({ "ResourceArn": balancer.arn });
        let found = aws.target("wafv2", "AWSWAF_20190729.GetWebACLForResource", &ask).await?;
        let standing = found["WebACL"]["ARN"].as_str().unwrap_or_default();
        if standing == wanted {
            return Ok(());
        }
        if !standing.is_empty() {
            aws.target("wafv2", "AWSWAF_20190729.DisassociateWebACL", &ask).await?;
        }
        if !wanted.is_empty() {
            let ask = json!({ "ResourceArn": balancer.arn, "WebACLArn": wanted });
            aws.target("wafv2", "AWSWAF_20190729.AssociateWebACL", &ask).await?;
        }
        Ok(())
    }
}

fn key_of(port: &Port) -> (String, String) {
    (port.port.to_string(), port.protocol.clone())
}
