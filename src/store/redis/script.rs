//! The scripts that the engine runs: each is one step for everybody else.
//!
//! They know keys, ranks and texts, and not what entries say, so that gateways of any version can use them together.
//! Never here: what an entry means.

use ::redis::Cmd;

use super::Keys;

/// Keeps entries whose rank is above the one that is kept, and appends them to the stream; gives those that stood
/// above. Ranks are digits of a fixed length, so that texts compare as ranks do.
const PUT: &str = r"
local above = {}
local rank_length = 44
for i = 3, #ARGV, 3 do
  local key, rank, value = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local kept = redis.call('HGET', KEYS[1], key)
  local kept_rank = kept and string.sub(kept, 1, rank_length)
  if kept and kept_rank > rank then
    above[#above + 1] = key
    above[#above + 1] = kept
  elseif not kept or kept_rank < rank then
    redis.call('HSET', KEYS[1], key, rank .. ' ' .. value)
    redis.call('HSETNX', KEYS[3], 'epoch', ARGV[2])
    local number = redis.call('HINCRBY', KEYS[3], 'seq', 1)
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'n', number, 'key', key, 'rank', rank, 'value', value)
  end
end
return above
";

/// Removes entries, unless one of a higher rank is kept by now; gives how many.
const FORGET: &str = r"
local removed = 0
for i = 1, #ARGV, 2 do
  local kept = redis.call('HGET', KEYS[1], ARGV[i])
  if kept and string.sub(kept, 1, #ARGV[i + 1]) <= ARGV[i + 1] then
    removed = removed + redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return removed
";

/// Where the stream is: its epoch, the number of the last change, and its place.
const HEAD: &str = r"
redis.call('HSETNX', KEYS[2], 'epoch', ARGV[1])
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local place = last[1] and last[1][1] or '0-0'
return {redis.call('HGET', KEYS[2], 'epoch'), tonumber(redis.call('HGET', KEYS[2], 'seq') or '0'), place}
";

/// The script that keeps entries; key, rank and value of each are to be added.
pub(super) fn put(keys: &Keys, stream_length: u64) -> Cmd {
    let mut command = Cmd::new();
    command.arg("EVAL").arg(PUT).arg(3);
    command.arg(&keys.state).arg(&keys.log).arg(&keys.meta);
    command.arg(stream_length).arg(new_epoch());
    command
}

/// The script that removes entries; key and rank of each are to be added.
pub(super) fn forget(keys: &Keys) -> Cmd {
    let mut command = Cmd::new();
    command.arg("EVAL").arg(FORGET).arg(1).arg(&keys.state);
    command
}

/// The script that tells where the stream is.
pub(super) fn head(keys: &Keys) -> Cmd {
    let mut command = Cmd::new();
    command.arg("EVAL").arg(HEAD).arg(2);
    command.arg(&keys.log).arg(&keys.meta).arg(new_epoch());
    command
}

/// A name that no epoch had before.
fn new_epoch() -> String {
    uuid::Uuid::new_v4().to_string()
}
