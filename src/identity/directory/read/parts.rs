//! What directory files hold, file by file, each object with its place, until all are joined.
//!
//! The parts of a file outlive the directory that is made of them: the next one is made of those of the files that are as they
//! were, and of others. A million objects have a million places, so a place is three numbers.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{BlueprintPart, LIST, join, values};
use crate::identity::directory::{AgentIdentity, AgentUser, Directory, ServicePrincipal, User};
use crate::types::json::{Path, Step};
use crate::types::{Fault, Faults, Severity, SharedParts};

/// Where an object stands in its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) within: Within,
}

/// What an object is of its file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Within {
    /// All of it.
    Whole,
    /// An item of the array that the file is.
    Array(u32),
    /// An item of the list below [`LIST`].
    List(u32),
}

impl Within {
    /// The steps from the file's root to the object.
    pub(super) fn steps(self) -> Vec<Step<'static>> {
        let item = |at| Step::Item(usize::try_from(at).unwrap_or(usize::MAX));
        match self {
            Self::Whole => Vec::new(),
            Self::Array(at) => vec![item(at)],
            Self::List(at) => vec![Step::Member(LIST), item(at)],
        }
    }
}

/// A place in one of several files.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) file: &'a Arc<str>,
    pub(super) place: Place,
}

impl At<'_> {
    /// What is wrong with a member of the object there, or with all of it (`""`).
    pub(super) fn fault(self, severity: Severity, member: &str, message: String) -> Fault {
        let object = Path(&self.place.within.steps()).to_string();
        Fault {
            file: Arc::clone(self.file),
            line: self.place.line,
            column: self.place.column,
            member: values::join(&object, member),
            message,
            severity,
        }
    }

    /// `file:line:column`.
    pub(super) fn shown(self) -> String {
        let Place { line, column, .. } = self.place;
        format!("{}:{line}:{column}", self.file)
    }
}

/// One object, and where it stands.
#[derive(Debug, Clone)]
struct Part<T> {
    place: Place,
    value: T,
}

/// The objects of one file.
#[derive(Debug, Clone, Default)]
pub struct FileParts {
    file: Arc<str>,
    blueprints: Vec<Part<BlueprintPart>>,
    agents: Vec<Part<Arc<AgentIdentity>>>,
    agent_users: Vec<Part<Arc<AgentUser>>>,
    users: Vec<Part<Arc<User>>>,
    service_principals: Vec<Part<Arc<ServicePrincipal>>>,
}

/// An object of one of the kinds.
pub(super) enum Object {
    Blueprint(BlueprintPart),
    Agent(AgentIdentity),
    AgentUser(AgentUser),
    User(User),
    ServicePrincipal(ServicePrincipal),
}

impl FileParts {
    /// None yet of this file.
    pub(super) fn of(file: Arc<str>) -> Self {
        Self {
            file,
            ..Self::default()
        }
    }

    pub(super) fn push(&mut self, place: Place, object: Object) {
        match object {
            Object::Blueprint(value) => self.blueprints.push(Part { place, value }),
            Object::Agent(value) => self.agents.push(placed(place, value)),
            Object::AgentUser(value) => self.agent_users.push(placed(place, value)),
            Object::User(value) => self.users.push(placed(place, value)),
            Object::ServicePrincipal(value) => self.service_principals.push(placed(place, value)),
        }
    }

    /// Whether there is no object.
    pub(super) fn is_empty(&self) -> bool {
        self.blueprints.is_empty()
            && self.agents.is_empty()
            && self.agent_users.is_empty()
            && self.users.is_empty()
            && self.service_principals.is_empty()
    }

    /// Its name in faults.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The ids by which its objects are known in another directory: a blueprint's is its appId.
    fn ids(&self) -> impl Iterator<Item = &str> {
        let blueprints = self.blueprints.iter();
        let app_ids = blueprints.map(|part| part.value.app_id.as_str());
        app_ids.chain(self.account_ids())
    }

    /// The appIds of the blueprints whose principal is here.
    fn app_ids_of_principals(&self) -> impl Iterator<Item = &str> {
        let blueprints = self.blueprints.iter().map(|part| &part.value);
        let principals = blueprints.filter(|blueprint| blueprint.principal_id.is_some());
        principals.map(|blueprint| blueprint.app_id.as_str())
    }

    /// The ids of all objects but blueprints.
    fn account_ids(&self) -> impl Iterator<Item = &str> {
        let agents = self.agents.iter().map(|part| part.value.id.as_str());
        let agent_users = self.agent_users.iter().map(|part| part.value.id.as_str());
        let users = self.users.iter().map(|part| part.value.id.as_str());
        let workloads = self.service_principals.iter();
        agents
            .chain(agent_users)
            .chain(users)
            .chain(workloads.map(|part| part.value.id.as_str()))
    }

    /// Leaves out those of these ids.
    fn remove(&mut self, ids: &BTreeSet<&str>) {
        let stays = |id: &str| !ids.contains(id);
        self.blueprints.retain(|p| stays(p.value.app_id.as_str()));
        self.agents.retain(|p| stays(p.value.id.as_str()));
        self.agent_users.retain(|p| stays(p.value.id.as_str()));
        self.users.retain(|p| stays(p.value.id.as_str()));
        let workloads = &mut self.service_principals;
        workloads.retain(|p| stays(p.value.id.as_str()));
    }

    /// Puts the objects of the directory `before` in place of those that are equal; others have in common what many have.
    fn keep(&mut self, before: &Directory, shared: &mut SharedParts) {
        keep(&mut self.agents, |one| before.agent(one.id.as_str()));
        keep(&mut self.agent_users, |one| {
            before.agent_user(one.id.as_str())
        });
        keep(&mut self.users, |one| before.user(one.id.as_str()));
        keep(&mut self.service_principals, |one| {
            before.service_principal(one.id.as_str())
        });
        // One that is kept is another's too, and has all in common already.
        let agents = self.agents.iter_mut();
        for agent in agents.filter_map(|part| Arc::get_mut(&mut part.value)) {
            if let Some(known) = before.agent(agent.id.as_str()) {
                agent.share_with(known);
            }
            agent.share(shared);
        }
    }
}

fn placed<T>(place: Place, value: T) -> Part<Arc<T>> {
    let value = Arc::new(value);
    Part { place, value }
}

/// Puts objects that were known in place of those that are equal.
fn keep<'a, T: PartialEq + 'a>(
    parts: &mut Vec<Part<Arc<T>>>,
    known: impl Fn(&T) -> Option<&'a Arc<T>>,
) {
    for part in parts.iter_mut() {
        if let Some(known) = known(&part.value).filter(|known| ***known == *part.value) {
            part.value = Arc::clone(known);
        }
    }
    // They stay for as long as the file is as it is.
    parts.shrink_to_fit();
}

/// The objects of some files, not yet joined.
#[derive(Debug, Clone, Default)]
pub struct DirectoryParts {
    files: Vec<Arc<FileParts>>,
    /// What the objects have in common.
    shared: SharedParts,
    /// The directory that there was before.
    before: Arc<Directory>,
}

impl DirectoryParts {
    /// None yet. Objects that are as they were in the directory `before` will be those: of a million agents a few change at a
    /// time, and both directories are in memory until no call reads the older one.
    #[must_use]
    pub fn after(before: Arc<Directory>) -> Self {
        Self {
            before,
            ..Self::default()
        }
    }

    /// Adds the objects of another file, and gives what was added.
    pub fn extend(&mut self, mut file: FileParts) -> Arc<FileParts> {
        file.keep(&self.before, &mut self.shared);
        let file = Arc::new(file);
        self.files.push(Arc::clone(&file));
        file
    }

    /// Adds those of a file that is as it was when the directory before was made of it.
    pub fn extend_with_kept(&mut self, file: Arc<FileParts>) {
        self.files.push(file);
    }

    /// Whether there is no object.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.iter().all(|file| file.is_empty())
    }

    /// Adds those objects whose id is not here yet; gives the ids of the others. A blueprint's principal and its
    /// application are two objects.
    pub fn extend_where_new(&mut self, other: Self) -> Vec<Arc<str>> {
        if other.files.is_empty() {
            return Vec::new();
        }
        let own = self.files.iter();
        let known: BTreeSet<&str> = own
            .flat_map(|file| file.app_ids_of_principals().chain(file.account_ids()))
            .collect();
        let (mut both, mut new) = (Vec::new(), Vec::new());
        for mut file in other.files {
            let before = both.len();
            both.extend(file.ids().filter(|id| known.contains(id)).map(Arc::from));
            if both.len() > before {
                Arc::make_mut(&mut file).remove(&known);
            }
            new.push(file);
        }
        self.files.extend(new);
        both
    }

    /// Joins the objects of all files into a directory. A directory with errors among its faults is not to be used.
    #[must_use]
    pub fn build(&self) -> (Directory, Faults) {
        join::build(self)
    }

    pub(super) fn blueprints(&self) -> impl Iterator<Item = (At<'_>, &BlueprintPart)> {
        self.each(|file| &file.blueprints)
    }

    pub(super) fn agents(&self) -> impl Iterator<Item = (At<'_>, &Arc<AgentIdentity>)> {
        self.each(|file| &file.agents)
    }

    pub(super) fn agent_users(&self) -> impl Iterator<Item = (At<'_>, &Arc<AgentUser>)> {
        self.each(|file| &file.agent_users)
    }

    pub(super) fn users(&self) -> impl Iterator<Item = (At<'_>, &Arc<User>)> {
        self.each(|file| &file.users)
    }

    pub(super) fn service_principals(
        &self,
    ) -> impl Iterator<Item = (At<'_>, &Arc<ServicePrincipal>)> {
        self.each(|file| &file.service_principals)
    }

    fn each<'a, T: 'a>(
        &'a self,
        of: fn(&FileParts) -> &Vec<Part<T>>,
    ) -> impl Iterator<Item = (At<'a>, &'a T)> {
        self.files.iter().flat_map(move |parts| {
            let file = &parts.file;
            of(parts).iter().map(move |part| {
                let place = part.place;
                (At { file, place }, &part.value)
            })
        })
    }
}
