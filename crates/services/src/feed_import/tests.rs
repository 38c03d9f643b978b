mod claims;
mod fetches;
mod files;
mod replays;
mod rig;
