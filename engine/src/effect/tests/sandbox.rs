//! The protocol over the real resource table on the sandbox: a network is made once and taken down once, whenever the process dies.

use std::{collections::BTreeMap, sync::Arc};

use runbook_modules::sandbox::{
    memory::MemoryStore,
    target::Sandbox,
    world::{Object, Store as _},
};
use runbook_state::record::Ending;
use serde_json::{Value, json};

use super::rig::{Rig, site};
use crate::{
    error::Halt,
    run::{
        scope::Scope,
        step::{StepOptions, step},
    },
    targets,
    undo::{Options, undo},
};

struct Sand {
    rig: Rig,
    world: Arc<MemoryStore>,
}

impl Sand {
    fn new() -> Self {
        let world = Arc::new(MemoryStore::default());
        let sandbox = Sandbox::open(world.clone(), Default::default(), Default::default()).unwrap();
        Self { rig: Rig::over(Arc::new(sandbox), targets::table()), world }
    }

    /// What stands, by kind, without what AWS itself made and what is on its way out.
    fn standing(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (_, document) in self.world.load().unwrap().1 {
            let Ok(object) = serde_json::from_value::<Object>(document) else { continue };
            if object.gone_at.is_none() && !object.token.is_empty() {
                *counts.entry(object.kind).or_default() += 1;
            }
        }
        counts
    }

    fn build(&self) -> Ending {
        let rig = &self.rig;
        let plain = |scope: &Arc<Scope>, name: &str, body: &mut dyn FnMut(&Arc<Scope>) -> Result<Value, Halt>| {
            step(scope, name, &StepOptions::default(), &site(1), "", body)
        };
        let outcome = rig.drive(|scope| {
            let vpc = plain(scope, "vpc", &mut |scope| {
                rig.bind(scope, "ec2.create_vpc", json!({"name": "vpc", "cidr_block": "10.5.0.0/16"}))
            })?["id"]
                .clone();
            let subnet = plain(scope, "subnet", &mut |scope| {
                let input = json!({"name": "a", "vpc_id": vpc, "cidr_block": "10.5.1.0/24"});
                rig.bind(scope, "ec2.create_subnet", input)
            })?["id"]
                .clone();
            plain(scope, "gateway", &mut |scope| {
                let gateway = rig.bind(scope, "ec2.create_internet_gateway", json!({"name": "igw"}))?["id"].clone();
                let input = json!({"internet_gateway_id": gateway, "vpc_id": vpc});
                rig.bind(scope, "ec2.attach_internet_gateway", input)?;
                let table = rig.bind(scope, "ec2.create_route_table", json!({"vpc_id": vpc}))?["id"].clone();
                let route =
                    json!({"route_table_id": table, "destination_cidr_block": "0.0.0.0/0", "gateway_id": gateway});
                rig.bind(scope, "ec2.create_route", route)?;
                let input = json!({"route_table_id": table, "subnet_id": subnet});
                rig.bind(scope, "ec2.associate_route_table", input)
            })?;
            plain(scope, "nat", &mut |scope| {
                let address = rig.bind(scope, "ec2.allocate_address", json!({"name": "nat"}))?["id"].clone();
                rig.bind(scope, "ec2.create_nat_gateway", json!({"subnet_id": subnet, "allocation_id": address}))
            })?;
            Ok(())
        });
        outcome.ending
    }

    fn take_down(&self) -> Ending {
        let outcome = self.rig.drive(|scope| {
            let report = undo(&scope.session, Vec::new(), &Options::default())?;
            assert_eq!(report.left, []);
            assert_eq!(report.kept, []);
            Ok(())
        });
        outcome.ending
    }
}

#[test]
fn a_network_is_made_once_and_taken_down_once_whenever_the_process_dies() {
    let calm = Sand::new();
    assert_eq!(calm.build(), Ending::Finished);
    let expected = calm.standing();
    assert!(expected.values().sum::<usize>() >= 9, "{expected:?}");
    let records = i64::try_from(calm.rig.records().len()).unwrap();
    for cut in 2..records {
        let sand = Sand::new();
        sand.rig.cut.after(cut, false);
        sand.build();
        sand.rig.cut.never();
        if cut % 3 == 0 {
            // Undone from where it died.
            assert_eq!(sand.take_down(), Ending::Finished, "cut {cut}");
            assert_eq!(sand.standing(), BTreeMap::new(), "cut {cut}");
            continue;
        }
        assert_eq!(sand.build(), Ending::Finished, "cut {cut}");
        assert_eq!(sand.standing(), expected, "cut {cut}");
        sand.rig.cut.after(cut % 20, false);
        sand.take_down();
        sand.rig.cut.never();
        assert_eq!(sand.take_down(), Ending::Finished, "cut {cut}");
        assert_eq!(sand.standing(), BTreeMap::new(), "cut {cut}");
        assert_eq!(sand.rig.inventory(), [""; 0], "cut {cut}");
    }
}
