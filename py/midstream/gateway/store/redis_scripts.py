"""The Lua of the Redis store: each decides and writes at once.

CREATE and RESTORE look at the keys of several runs, so all of them have to be on one Redis (no cluster).
"""

# Both write a new run. KEYS run, live runs, those of its owner, claim of its key, claim of its conversation, runs of
# the conversation, conversations; ARGV id, key, fingerprint, conversation, created, most live runs, ttl in ms, prefix,
# then the record: field, value…
_BEGIN = """
local id, key, conversation = ARGV[1], ARGV[2], ARGV[4]
local function record(of) return ARGV[8] .. '{' .. of .. '}:run' end
local function live(of) return redis.call('HGET', record(of), 'state') == 'live' end
local function write(...)
    redis.call('HSET', KEYS[1], unpack(ARGV, 9))
    redis.call('PEXPIRE', KEYS[1], ARGV[7])
    redis.call('SADD', KEYS[2], id)
    redis.call('SADD', KEYS[3], id)
    if key ~= '' then redis.call('SET', KEYS[4], id, 'PX', ARGV[7], ...) end
    if conversation ~= '' then
        redis.call('SET', KEYS[5], id, 'PX', ARGV[7], ...)
        redis.call('ZADD', KEYS[6], ARGV[5], id)
        redis.call('ZADD', KEYS[7], ARGV[5], conversation)
    end
end
"""

# Gives {what, id of a run}: `new`, or the one in the way: `found` and `reused` (who has the key), `busy` (the live one
# of the conversation), `full`. The claims are ways to a run, its record is the truth: a claim whose run has ended, or
# is gone, counts for nothing. Which run gives its key back: interface.gives_key_back.
CREATE = (
    _BEGIN
    + """
if redis.call('EXISTS', KEYS[1]) == 1 then return {'new', id} end -- the reply to the first try was lost
local before = key ~= '' and redis.call('GET', KEYS[4])
if before then
    local run = redis.call('HMGET', record(before), 'key', 'fingerprint', 'state', 'head')
    if run[1] ~= key then before = false
    elseif run[2] ~= ARGV[3] then return {'reused', before}
    elseif run[3] ~= 'failed' or tonumber(run[4]) > 1 then return {'found', before} end
end
local other = conversation ~= '' and redis.call('GET', KEYS[5])
if other and live(other) then return {'busy', other} end
if redis.call('SCARD', KEYS[3]) >= tonumber(ARGV[6]) then
    for _, one in ipairs(redis.call('SMEMBERS', KEYS[3])) do
        if not live(one) then redis.call('SREM', KEYS[3], one) end
    end
    if redis.call('SCARD', KEYS[3]) >= tonumber(ARGV[6]) then return {'full', ''} end
end
if before then redis.call('HSET', record(before), 'key', '') end
write()
return {'new', id}
"""
)

# What Redis has lost. Gives 0 when it is there. A claim that somebody else has made meanwhile stays.
RESTORE = (
    _BEGIN
    + """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
write('NX')
return 1
"""
)

# KEYS run, log; ARGV epoch, first, last, batch, now, end, ttl in ms. Gives 1 when it was written, 0 when the writer
# does not own the run, -1 when Redis has less of the run than the writer has written.
# The stream's own rule (ids only go up) stands behind the check of the head.
APPEND = """
local run = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'head', 'started')
if not run[1] then return -1 end
if run[1] ~= 'live' or run[2] ~= ARGV[1] then return 0 end
local head = tonumber(run[3])
if head > 0 and redis.call('EXISTS', KEYS[2]) == 0 then
    head = 0
    redis.call('HSET', KEYS[1], 'head', '0')
end
if head + 1 < tonumber(ARGV[2]) then return -1 end
if head + 1 > tonumber(ARGV[2]) then return 0 end
redis.call('XADD', KEYS[2], ARGV[3] .. '-0', 'epoch', ARGV[1], 'first', ARGV[2], 'batch', ARGV[4])
redis.call('HSET', KEYS[1], 'head', ARGV[3], 'updated', ARGV[5])
if tonumber(run[4]) == 0 then redis.call('HSET', KEYS[1], 'started', ARGV[5]) end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[1], 'state', ARGV[6]) end
redis.call('PEXPIRE', KEYS[1], ARGV[7])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
return 1
"""

# KEYS run, log; ARGV the seqs wanted, first and last. Gives nil when there is no log, else {state, head, entries}: the
# entries as one string, since redis-py takes far longer to read a reply of many parts.
READ = """
local run = redis.call('HMGET', KEYS[1], 'state', 'head', 'purged')
if run[3] ~= '0' then return false end
local found = {}
local function take(entries)
    for _, entry in ipairs(entries) do
        local fields = entry[2] -- in the order of APPEND
        found[#found + 1] = fields[2] .. ' ' .. fields[4] .. ' ' .. #fields[6] .. '\\n' .. fields[6]
    end
end
-- An entry's id is the last seq in it: these end at or before the page does, and one more may begin in it.
take(redis.call('XRANGE', KEYS[2], ARGV[1] .. '-0', ARGV[2] .. '-0'))
take(redis.call('XRANGE', KEYS[2], (ARGV[2] + 1) .. '-0', '+', 'COUNT', 1))
return {run[1], run[2], table.concat(found)}
"""

# KEYS run; ARGV epoch, lease, epochs to add, what the caller knows to be written, then fields. Gives their values when
# `epoch` owns the run; otherwise 0, or -1 as APPEND.
HOLD = """
local run = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'head')
if not run[1] then return -1 end
if run[1] ~= 'live' or run[2] ~= ARGV[1] then return 0 end
if tonumber(run[3]) < tonumber(ARGV[4]) then return -1 end
redis.call('HSET', KEYS[1], 'lease', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'epoch', ARGV[3])
return redis.call('HMGET', KEYS[1], unpack(ARGV, 5))
"""

# KEYS run, cancel stream; ARGV ttl in ms.
CANCEL = """
if redis.call('HGET', KEYS[1], 'state') ~= 'live' then return 0 end
redis.call('HSET', KEYS[1], 'cancelling', '1')
redis.call('XADD', KEYS[2], 'MAXLEN', '1', '*', 'cancel', '1')
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1
"""

# KEYS run; ARGV now. Not HSET alone: that would make a record for a run that has just expired.
ATTEND = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'attended', ARGV[1])
return 1
"""

# KEYS run, log, cancel stream. `request`: an earlier version kept the whole prompt there.
BURY = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'purged', '1', 'prompt', '', 'key', '')
redis.call('HDEL', KEYS[1], 'request')
redis.call('DEL', KEYS[2], KEYS[3])
return 1
"""

# KEYS a claim; ARGV who holds it. A claim that has passed to another run stays.
RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""

# KEYS looks, lost; ARGV the looks that the caller knows of, now, ttl in ms. Gives {looks, when data was lost or nil}.
LOOK = """
local looks = redis.call('INCR', KEYS[1])
if looks <= tonumber(ARGV[1]) then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
return {looks, redis.call('GET', KEYS[2])}
"""

ALL = {
    "create": CREATE,
    "restore": RESTORE,
    "append": APPEND,
    "read": READ,
    "hold": HOLD,
    "cancel": CANCEL,
    "attend": ATTEND,
    "bury": BURY,
    "release": RELEASE,
    "look": LOOK,
}
