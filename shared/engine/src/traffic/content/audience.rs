//! Who visits: user profiles by weight, and the clients that each of them may use.

use std::sync::{Arc, LazyLock};

use trafficlab_shared::model::content::{CONTENT_VERSION, ContentSpec, Inventory, UserProfile};

use super::ContentError;
use crate::traffic::cast;
use crate::traffic::tables::{Client, Surface, Tables};
use crate::traffic::weights::Alias;

/// Most profiles restrict nothing, so that all campaigns of a content version share one set of choices.
static EVERYONE: LazyLock<Vec<Option<Arc<Clients>>>> = LazyLock::new(|| {
    let of = |version| Tables::of(version).map(|tables| Arc::new(Clients::matching(tables, |_| true)));
    (0..=CONTENT_VERSION).map(of).collect()
});

/// The clients of a profile by surface; each choice is over the whole client table.
#[derive(Debug)]
struct Clients {
    site: Option<Alias>,
    app: Option<Alias>,
    dooh: Option<Alias>,
}

impl Clients {
    fn matching(tables: &Tables, fits: impl Fn(&Client) -> bool) -> Self {
        let on = |surface: Surface, restricted: bool| {
            let weigh = |client: &Client| {
                let chosen = client.surface == surface && (!restricted || fits(client));
                if chosen { client.weight } else { 0.0 }
            };
            Alias::new(&tables.clients().iter().map(weigh).collect::<Vec<f64>>())
        };
        Self {
            site: on(Surface::Site, true),
            app: on(Surface::App, true),
            // A public screen belongs to the place and not to the passer-by.
            dooh: on(Surface::Dooh, false),
        }
    }

    fn pick(&self, wanted: Surface, word: u64) -> (Surface, u32) {
        let site = self.site.as_ref().map(|choice| (Surface::Site, choice));
        let app = self.app.as_ref().map(|choice| (Surface::App, choice));
        let found = match wanted {
            Surface::Dooh => self.dooh.as_ref().map(|choice| (Surface::Dooh, choice)),
            Surface::Site => site.or(app),
            Surface::App => app.or(site),
        };
        found.map_or((wanted, 0), |(surface, choice)| (surface, choice.pick(word)))
    }
}

/// Profiles and surfaces by weight.
#[derive(Debug, Clone)]
pub(in crate::traffic) struct Audience {
    profiles: Alias,
    surfaces: Alias,
    clients: Vec<Arc<Clients>>,
}

impl Audience {
    pub(super) fn new(spec: &ContentSpec, tables: &Tables) -> Result<Self, ContentError> {
        let weights: Vec<f64> = spec.profiles.iter().map(|profile| profile.weight).collect();
        let inventory = spec.rtb.as_ref().map_or_else(Inventory::default, |rtb| rtb.inventory);
        let mut all = Vec::with_capacity(spec.profiles.len());
        for (index, profile) in spec.profiles.iter().enumerate() {
            all.push(usable(index, profile, tables)?);
        }
        Ok(Self {
            profiles: Alias::new(&weights).ok_or(ContentError::Empty { field: "user_profiles" })?,
            surfaces: Alias::new(&[inventory.site, inventory.app, inventory.dooh])
                .ok_or(ContentError::Empty { field: "rtb_config.inventory" })?,
            clients: all,
        })
    }

    pub(super) fn profile(&self, word: u64) -> u32 {
        self.profiles.pick(word)
    }

    /// The surface by the inventory's weights, or the other one when the profile has no device for it.
    pub(super) fn client(&self, profile: u32, surface: u64, client: u64) -> (Surface, u32) {
        let wanted = match self.surfaces.pick(surface) {
            0 => Surface::Site,
            1 => Surface::App,
            _ => Surface::Dooh,
        };
        let clients = self.clients.get(cast::index(profile));
        clients.map_or((wanted, 0), |clients| clients.pick(wanted, client))
    }
}

fn usable(index: usize, profile: &UserProfile, tables: &Tables) -> Result<Arc<Clients>, ContentError> {
    let free = profile.device_types.is_empty()
        && profile.device_models.is_empty()
        && profile.os.is_empty()
        && profile.browsers.is_empty();
    if free && let Some(Some(everyone)) = EVERYONE.get(usize::from(tables.version())) {
        return Ok(Arc::clone(everyone));
    }
    let found = Clients::matching(tables, |client| fits(profile, client));
    if found.site.is_none() && found.app.is_none() {
        return Err(ContentError::NoDevice { field: format!("user_profiles[{index}]"), name: profile.name.clone() });
    }
    Ok(Arc::new(found))
}

fn fits(profile: &UserProfile, client: &Client) -> bool {
    let types = &profile.device_types;
    (types.is_empty() || types.contains(&client.device.class))
        && any_in(&profile.device_models, client.device.model)
        && any_equal(&profile.os, client.device.os)
        && any_equal(&profile.browsers, client.browser)
}

fn any_in(wanted: &[String], have: &str) -> bool {
    let have = have.to_lowercase();
    wanted.is_empty() || wanted.iter().any(|part| have.contains(&part.to_lowercase()))
}

fn any_equal(wanted: &[String], have: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|name| name.eq_ignore_ascii_case(have))
}
