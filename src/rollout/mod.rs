//! Rules to a tenant, by a plan that is shown first.
