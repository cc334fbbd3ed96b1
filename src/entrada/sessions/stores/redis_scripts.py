"""The scripts that Redis runs for us. Each is atomic and names one key, so that a cluster runs it on any node.

A session is one hash: `r` and `t` are record and tokens, each behind 8 bytes of version and 4 of length; `e` is when it
ends by our clock, `u` and `s` what it is found by. Beside it every key carries an expiry of Redis's own.
"""

INSERT = """
local there = redis.call('HGET', KEYS[1], 'r')
if there then
  if there == ARGV[1] then return 1 end
  return redis.error_reply('TAKEN this key has a session')
end
redis.call('HSET', KEYS[1], 'r', ARGV[1], 't', ARGV[2], 'e', ARGV[3], 'u', ARGV[4], 's', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return 1
"""
"""record, tokens, end, user, sid, milliseconds. The same again, after a lost answer, is done already."""

REPLACE = """
local held = redis.call('HMGET', KEYS[1], 'r', 'e', 'u', 's')
if not held[1] or tonumber(held[2]) <= tonumber(ARGV[3]) then return false end
if held[1] == ARGV[2] then return {held[3], held[4]} end
if string.sub(held[1], 1, 8) ~= ARGV[1] then return false end
redis.call('HSET', KEYS[1], 'r', ARGV[2], 'e', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {held[3], held[4]}
"""
"""version, record, now, end, milliseconds; gives user and sid, or nothing when the version is another."""

REPLACE_TOKENS = """
local held = redis.call('HMGET', KEYS[1], 't', 'e')
if not held[1] or tonumber(held[2]) <= tonumber(ARGV[3]) then return 0 end
if held[1] == ARGV[2] then return 1 end
if string.sub(held[1], 1, 8) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 't', ARGV[2])
return 1
"""
"""version, tokens, now. Sealed tokens are never twice the same: equal ones are ours, after a lost answer."""

RESEAL = """
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held and string.sub(held, 1, 8) == string.sub(ARGV[2], 1, 8) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1
"""
"""r or t, and that part with the version that it must still have."""

DELETE = """
local held = redis.call('HMGET', KEYS[1], 'u', 's', 'e')
redis.call('DEL', KEYS[1])
return held
"""
"""Gives what it was found by, and its end."""

INDEX = """
local held = redis.call('HMGET', KEYS[1], 'u', 's', 'e')
if not held[1] then return false end
redis.call('HSET', KEYS[1], 'u', ARGV[1], 's', ARGV[2])
return held
"""
"""user, sid; gives what it was found by before, and its end."""

ENTER = """
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
if ARGV[4] then
  local now = math.min(tonumber(ARGV[4]), redis.call('TIME')[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[5])
end
return 1
"""
"""score, member, milliseconds; now, and for how many seconds after their end members are kept.

A list lives as long as its longest member. What has ended long ago goes, by whichever clock is behind: by one that is
ahead the living would go, whom nobody would find then to sign them out.
"""

SPEND = """
local held = redis.call('GET', KEYS[1])
if held then
  local ends, by = string.match(held, '^([^ ]+) (.*)$')
  if tonumber(ends) > tonumber(ARGV[1]) then return by == ARGV[3] and 1 or 0 end
end
redis.call('SET', KEYS[1], ARGV[2] .. ' ' .. ARGV[3], 'PX', ARGV[4])
return 1
"""
"""now, end, who asks, milliseconds. Whoever asks again after a lost answer gets the same one."""

_LEASE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local held = redis.call('HMGET', KEYS[1], 'holder', 'until', 'fence')
local living = held[1] and tonumber(held[2]) > now
"""
"""Leases go by the server's clock, which all hosts share; in microseconds."""

TAKE_LEASE = (
    _LEASE
    + """
local possible = living and tonumber(held[2]) <= now + ARGV[2] * 1000 + ARGV[4] * 1000
if possible and held[1] ~= ARGV[1] then return false end
local fence = string.format('%.0f', math.max(tonumber(held[3] or 0) + 1, now))
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until', string.format('%.0f', now + ARGV[2] * 1000), 'fence', fence)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return fence
"""
)
"""holder, milliseconds, milliseconds to remember the fence, slack. Fences follow the clock, past a loss of all data."""

EXTEND_LEASE = (
    _LEASE
    + """
if not living or held[1] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + ARGV[2] * 1000))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
)

DROP_LEASE = (
    _LEASE
    + """
if living and held[1] == ARGV[1] then redis.call('HSET', KEYS[1], 'until', '0') end
return 1
"""
)
