"""The Lua of the Redis store: each decides and writes at once, over the keys of one run."""

# KEYS run, log; ARGV epoch, first, last, batch, now, end, ttl in ms. Gives 1 when it was written.
# The stream's own rule (ids only go up) stands behind the check of the head.
APPEND = """
local run = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'head', 'started')
if run[1] ~= 'live' or run[2] ~= ARGV[1] or run[3] + 1 ~= tonumber(ARGV[2]) then return 0 end
redis.call('XADD', KEYS[2], ARGV[3] .. '-0', 'epoch', ARGV[1], 'first', ARGV[2], 'batch', ARGV[4])
redis.call('HSET', KEYS[1], 'head', ARGV[3], 'updated', ARGV[5])
if tonumber(run[4]) == 0 then redis.call('HSET', KEYS[1], 'started', ARGV[5]) end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[1], 'state', ARGV[6]) end
redis.call('PEXPIRE', KEYS[1], ARGV[7])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
return 1
"""

# KEYS run; ARGV epoch, lease, epochs to add. Gives 1 when `epoch` owns the run.
HOLD = """
local run = redis.call('HMGET', KEYS[1], 'state', 'epoch')
if run[1] ~= 'live' or run[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'lease', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'epoch', ARGV[3])
return 1
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

# KEYS a claim; ARGV who must hold it, who gets it ('' = nobody), ttl in ms. Gives 1 when it was so.
PASS_ON = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
"""
