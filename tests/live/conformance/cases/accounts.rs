//! The regions of an account.

use serde_json::json;

use crate::conformance::case::{Case, is};

pub const CASES: &[Case] = &[
    Case {
        name: "a region that every account has",
        aws: "`ENABLED_BY_DEFAULT`",
        page: "account/GetRegionOptStatus",
        run: |lab| {
            let found = lab.call("account.get_region_opt_status", json!({ "region_name": "us-east-1" })).ok()?;
            is(&found, "region_opt_status", "ENABLED_BY_DEFAULT")
        },
    },
    Case {
        name: "a region that does not exist",
        aws: "`ValidationException`",
        page: "account/GetRegionOptStatus",
        run: |lab| {
            let input = json!({ "region_name": "eu-nowhere-1" });
            lab.call("account.get_region_opt_status", input).refused(&["ValidationException"])
        },
    },
    Case {
        name: "a region that is off is enabled",
        aws: "`ENABLING` for minutes, then `ENABLED`",
        page: "account/EnableRegion",
        run: |lab| {
            let input = json!({ "region_name": "il-central-1" });
            let made = lab.call("account.enable_region", input.clone()).ok()?;
            is(&made, "region_opt_status", "ENABLING")?;
            let (ready, _) = lab.settled("account.enable_region", &input, &made)?;
            is(&ready, "region_opt_status", "ENABLED")?;
            is(&lab.call("account.get_region_opt_status", input).ok()?, "region_opt_status", "ENABLED")
        },
    },
];
