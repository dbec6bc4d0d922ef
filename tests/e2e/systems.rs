//! The standard trials ([`crate::crash`], [`crate::gone`]) and the plan ([`crate::planned`]) of each shipped runbook.

use crate::{crash, gone, planned};

/// One module a runbook: its file and what it needs besides its defaults.
macro_rules! systems {
    ($($system:ident: [$($argument:literal),+];)+) => {$(
        mod $system {
            const SYSTEM: &[&str] = &[$($argument),+];

            #[test]
            fn its_plan_names_the_chain_that_takes_the_time() {
                super::planned::its_plan_names_the_chain_that_takes_the_time(SYSTEM);
            }

            #[test]
            fn killed_anywhere_it_ends_in_the_same_world() {
                super::crash::killed_anywhere_it_ends_in_the_same_world(SYSTEM);
            }

            #[test]
            fn undo_killed_anywhere_empties_the_world() {
                super::crash::undo_killed_anywhere_empties_the_world(SYSTEM);
            }

            #[test]
            fn without_its_clusters_undo_takes_the_rest_down_or_names_it() {
                super::gone::without_its_clusters_undo_takes_the_rest_down_or_names_it(SYSTEM);
            }

            #[test]
            fn an_error_at_any_effect_stops_clearly_and_is_undone() {
                super::crash::an_error_at_any_effect_stops_clearly_and_is_undone(SYSTEM);
            }

            #[test]
            fn a_lost_answer_makes_nothing_twice() {
                super::crash::a_lost_answer_makes_nothing_twice(SYSTEM);
            }
        }
    )+};
}

systems! {
    redis_ha: ["redis-ha.rhai"];
    openremote: ["openremote.rhai", "-p", "volumes_on_undo=delete"];
    openremote_alb: ["openremote.rhai", "-p", "entry=alb", "-p", "volumes_on_undo=delete"];
    notejam: [
        "notejam.rhai", "-p", "delete_backups=true", "-p", "delete_images=true", "-p", "db_final_snapshot=false"
    ];
    notejam_flux: [
        "notejam.rhai", "-p", "delete_backups=true", "-p", "delete_images=true", "-p", "db_final_snapshot=false", "-p", "gitops_mode=flux",
        "-p", "github_token=ghp_simulated"
    ];
    reducto: [
        "reducto.rhai", "-p", "db_deletion_protection=false", "-p", "db_final_snapshot=false", "-p", "secret_recovery_days=0",
        "-p", "secret_suffix=abc"
    ];
    sre_platform: ["sre-platform.rhai", "-p", "cluster_name=sre-platform"];
}
