//! The members of a sign-in, as far as records have them (`reference/entra.md` §7). `boomgate` is what Graph has no
//! word for.

use crate::management::odata::{Direction, EntitySet, Kind, Property};
use crate::management::risky_agents::RISK_LEVEL;

/// `signIn` of beta.
pub(super) static BETA: EntitySet = EntitySet {
    path: "auditLogs/signIns",
    properties: &[
        ID,
        CREATED,
        CORRELATION,
        EVENT_TYPES,
        INTERACTIVE,
        APP_ID,
        APP_NAME,
        Property::new("servicePrincipalId", Kind::Id),
        Property::new("servicePrincipalName", Kind::Text),
        AGENT,
        USER_ID,
        USER_NAME,
        USER_PRINCIPAL_NAME,
        Property::new("userType", Kind::Text),
        RESOURCE_ID,
        RESOURCE_NAME,
        Property::new("resourceServicePrincipalId", Kind::Id),
        Property::new("resourceTenantId", Kind::Id),
        Property::new("homeTenantId", Kind::Id),
        ADDRESS,
        LOCATION,
        DEVICE,
        CLIENT_APP,
        Property::new("originalTransferMethod", Kind::Text),
        Property::new("userAgent", Kind::Text),
        Property::new("uniqueTokenIdentifier", Kind::Id),
        RISK_DURING,
        RISK_AGGREGATED,
        Property::new(
            "authenticationContextClassReferences",
            Kind::List(&Kind::Object(&[
                Property::new("id", Kind::Id),
                Property::new("detail", Kind::Text),
            ])),
        ),
        STATUS_OF_POLICY,
        Property::new("conditionalAccessAudiences", Kind::List(&Kind::Id)),
        POLICIES,
        STATUS,
        BOOMGATE,
    ],
    only_selected: &[],
    // Ids are in the order of time: the newest first.
    order: Direction::Descending,
};

/// `signIn` of v1.0, which knows no agents.
pub(super) static V1: EntitySet = EntitySet {
    path: "auditLogs/signIns",
    properties: &[
        ID,
        CREATED,
        CORRELATION,
        INTERACTIVE,
        APP_ID,
        APP_NAME,
        USER_ID,
        USER_NAME,
        USER_PRINCIPAL_NAME,
        RESOURCE_ID,
        RESOURCE_NAME,
        ADDRESS,
        LOCATION,
        DEVICE,
        CLIENT_APP,
        RISK_DURING,
        RISK_AGGREGATED,
        STATUS_OF_POLICY,
        POLICIES,
        STATUS,
        BOOMGATE,
    ],
    only_selected: &[],
    order: Direction::Descending,
};

const ID: Property = Property::new("id", Kind::Id);
const CREATED: Property = Property::new("createdDateTime", Kind::Time);
const CORRELATION: Property = Property::new("correlationId", Kind::Id);
const INTERACTIVE: Property = Property::new("isInteractive", Kind::Bool);
const APP_ID: Property = Property::new("appId", Kind::Id);
const APP_NAME: Property = Property::new("appDisplayName", Kind::Text);
const USER_ID: Property = Property::new("userId", Kind::Id);
const USER_NAME: Property = Property::new("userDisplayName", Kind::Text);
const USER_PRINCIPAL_NAME: Property = Property::new("userPrincipalName", Kind::Text);
const RESOURCE_ID: Property = Property::new("resourceId", Kind::Id);
const RESOURCE_NAME: Property = Property::new("resourceDisplayName", Kind::Text);
const ADDRESS: Property = Property::new("ipAddress", Kind::Text);
const CLIENT_APP: Property = Property::new("clientAppUsed", Kind::Text);
const RISK_DURING: Property = Property::new("riskLevelDuringSignIn", RISK_LEVEL);
const RISK_AGGREGATED: Property = Property::new("riskLevelAggregated", RISK_LEVEL);
const BOOMGATE: Property = Property::new("boomgate", Kind::Open);

const EVENT_TYPES: Property = Property::new(
    "signInEventTypes",
    Kind::List(&Kind::Name(&[
        "interactiveUser",
        "nonInteractiveUser",
        "servicePrincipal",
        "managedIdentity",
    ])),
);

const AGENT: Property = Property::new(
    "agent",
    Kind::Object(&[
        Property::new("agentType", AGENT_TYPE),
        Property::new("parentAppId", Kind::Id),
        Property::new("agentSubjectType", AGENT_TYPE),
        Property::new("agentSubjectParentId", Kind::Id),
    ]),
);

const AGENT_TYPE: Kind = Kind::GrownName(
    &["notAgentic", "agenticApp", "agenticAppInstance"],
    &["agentIdentityBlueprintPrincipal", "agentIDuser"],
);

const LOCATION: Property = Property::new(
    "location",
    Kind::Object(&[Property::new("countryOrRegion", Kind::Text)]),
);

const DEVICE: Property = Property::new(
    "deviceDetail",
    Kind::Object(&[
        Property::new("deviceId", Kind::Id),
        Property::new("displayName", Kind::Text),
        Property::new("operatingSystem", Kind::Text),
        Property::new("isCompliant", Kind::Bool),
        Property::new("trustType", Kind::Text),
    ]),
);

const STATUS_OF_POLICY: Property = Property::new(
    "conditionalAccessStatus",
    Kind::Name(&["success", "failure", "notApplied"]),
);

const STATUS: Property = Property::new(
    "status",
    Kind::Object(&[
        Property::new("errorCode", Kind::Number),
        Property::new("failureReason", Kind::Text),
        Property::new("additionalDetails", Kind::Text),
    ]),
);

const POLICIES: Property = Property::new(
    "appliedConditionalAccessPolicies",
    Kind::List(&Kind::Object(&[
        Property::new("id", Kind::Id),
        Property::new("displayName", Kind::Text),
        Property::new("result", Kind::Text),
        Property::new("enforcedGrantControls", Kind::List(&Kind::Text)),
        Property::new("enforcedSessionControls", Kind::List(&Kind::Text)),
        Property::new("conditionsSatisfied", Kind::Text),
        Property::new("conditionsNotSatisfied", Kind::Text),
    ])),
);
