-- The schema of OrleansLeases for PostgreSQL 15 and later: the query contracts of Orleans' ADO.NET providers for
-- persistence, clustering and reminders, with what leases need beyond them. `leases-silo migrate` applies it; by hand:
--
--     psql --single-transaction --set ON_ERROR_STOP=1 --file orleans-leases.sql
--
-- It may be applied again at any time. It wants a database of its own, or a schema of its own that the connection
-- string's `Search Path` names, since the providers find their queries in a table of a fixed name.

-- Two migrators must not meet halfway.
select pg_advisory_xact_lock(hashtext('orleans-leases schema'));

do $$
begin
    if to_regclass('lease_meta') is null and to_regclass('OrleansQuery') is not null then
        raise exception 'another Orleans application keeps its queries here, and leases would replace them; give leases a database of their own, or a schema that the Search Path of their connection string names';
    end if;
end
$$;

-- The providers' queries, by the names under which they look for them.
create table if not exists OrleansQuery
(
    QueryKey  varchar(64) not null constraint OrleansQuery_Key primary key,
    QueryText text not null
);

-- One row: what this schema is, and the restore epoch that every write must carry.
create table if not exists lease_meta
(
    only_row       boolean primary key default true check (only_row),
    schema_version integer not null,
    fingerprint    text,
    epoch          integer not null default 0 check (epoch between 0 and 8191)
);


-- Persistence ---------------------------------------------------------------------------------------------------------

-- A record of one resource or one key, by its kind. The record of a free resource keeps its token counter, that of a deleted key its
-- version: only drop_lease_records deletes rows, and leaves a floor of both.
create table if not exists lease_record
(
    service_id  text collate "C" not null,
    kind        text collate "C" not null,
    name        text collate "C" not null,
    version     integer not null,
    modified_on timestamptz not null,
    -- Milliseconds since the Unix epoch from which a sweeper should look at it; null for never.
    due         bigint,
    -- Whether someone holds the resource; whether the key has a value.
    held        boolean not null,
    -- The number of the newest block of the record's log, which is in the payload; older ones are in lease_log.
    log_block   bigint not null,
    payload     text not null,
    -- Milliseconds since the Unix epoch since when nothing of it is held, bound or pending; null while something is.
    idle        bigint
) with (fillfactor = 70);

-- What is there at the upgrade counts as idle since then. A constant default is no write: the rows stay as they are.
do $$
begin
    if not exists (select from pg_attribute where attrelid = 'lease_record'::regclass and attname = 'idle') then
        execute format('alter table lease_record add column idle bigint default %s', (extract(epoch from now()) * 1000)::bigint);
        alter table lease_record alter column idle drop default;
    end if;
end
$$;

create index if not exists lease_record_due on lease_record (service_id, kind, due, name) where due is not null;
create index if not exists lease_record_held on lease_record (service_id, kind, name) where held;
-- The time alone, since every release adds to its right end.
create index if not exists lease_record_idle on lease_record (idle) where idle is not null and not held and due is null;

-- What dropped records leave, for each shard of names: a first record is made above it, and so goes on growing where its name had one.
create table if not exists lease_floor
(
    service_id text collate "C" not null,
    kind       text collate "C" not null,
    shard      integer not null,
    -- At least the last token of every lease that was dropped.
    token      bigint not null,
    -- At least the version, the generation and the number of the last event of every record that was dropped.
    sequence   bigint not null,
    constraint lease_floor_key primary key (service_id, kind, shard)
);

-- Finished blocks of the logs, a ring for each record, so that a busy resource does not rewrite its history with every grant.
create table if not exists lease_log
(
    service_id text collate "C" not null,
    kind       text collate "C" not null,
    name       text collate "C" not null,
    slot       integer not null,
    block      bigint not null,
    entries    text not null
);

do $$
begin
    -- Two first writes of one resource meet at this key: the stock schema has none, and lets both succeed.
    if not exists (select from pg_constraint where conname = 'lease_record_key' and conrelid = 'lease_record'::regclass) then
        alter table lease_record add constraint lease_record_key primary key (service_id, kind, name);
    end if;
    if not exists (select from pg_constraint where conname = 'lease_log_key' and conrelid = 'lease_log'::regclass) then
        alter table lease_log add constraint lease_log_key primary key (service_id, kind, name, slot);
    end if;
end
$$;

-- Keys come with a prefix of two characters: the provider takes a key that looks like a number or a GUID for one, and
-- would give two names one row.
create or replace function lease_name(key text) returns text language plpgsql immutable as
$$
begin
    if key is null or substr(key, 2, 1) <> ':' then
        raise exception 'the grain key % has no prefix', coalesce(key, '(a number or GUID)');
    end if;
    return substr(key, 3);
end
$$;

-- Since when a record is idle that a silo of before writes, which does not say so.
create or replace function lease_idle(kind text, held boolean, due bigint) returns bigint language sql volatile as
$$
    select case when kind <> 'service' and not held and due is null then (extract(epoch from clock_timestamp()) * 1000)::bigint end
$$;

-- Of first records that this transaction has just written, takes back those that were made above a floor that has risen since: their own
-- names may have been dropped meanwhile. It is called after the write, as a statement of its own: whoever has dropped a name has
-- committed before its row could be written again, so that this sees what that has left. A record of a silo of before does not name
-- its shard, and was made above none. It answers those that it has taken back.
create or replace function take_back_lease_records(
    _service text, _kinds text[], _names text[], _shards integer[], _tokens bigint[], _sequences bigint[])
    returns table (kind text, name text) language plpgsql volatile security definer
    set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set plan_cache_mode = force_generic_plan set jit = off as
$$
#variable_conflict use_column
declare
    _low_kinds text[];
    _low_names text[];
begin
    -- Under stricter isolation all statements see what was there at the first. A row that was dropped since then is seen beside the new
    -- one, and nothing is kept for less than a minute.
    if current_setting('transaction_isolation') <> 'read committed' and (
        clock_timestamp() > transaction_timestamp() + interval '30 s'
        or exists (
            select from unnest(_kinds, _names) item (kind, name)
                cross join lateral (
                    select xmin from lease_record where service_id = _service and kind = item.kind and name = item.name offset 0) record
            where record.xmin <> pg_current_xact_id()::xid))
    then
        raise exception 'a record of the same name may have been dropped meanwhile' using errcode = 'serialization_failure';
    end if;

    select array_agg(low.kind), array_agg(low.name) into _low_kinds, _low_names
    from (
        select item.kind, item.name
        from unnest(_kinds, _names, _shards, _tokens, _sequences) item (kind, name, shard, token, sequence)
            cross join lateral (
                select from lease_floor
                where service_id = _service and kind = item.kind and shard = item.shard and (token > item.token or sequence > item.sequence)
                offset 0) risen
        union all
        select item.kind, item.name
        from unnest(_kinds, _names, _shards) item (kind, name, shard)
        where item.shard is null and exists (select from lease_floor where service_id = _service and kind = item.kind)) low;
    if _low_names is null then
        return;
    end if;

    return query
    delete from lease_record record
    using unnest(_low_kinds, _low_names) low (kind, name)
    where record.service_id = _service and record.kind = low.kind and record.name = low.name and record.xmin = pg_current_xact_id()::xid
    returning record.kind, record.name;
end
$$;

-- Compare-and-swap: answers the new version, or null where the stored version or the epoch is another. What comes is
-- lines of JSON: what this function needs to know, the blocks of the log that this write finishes, and the record. The
-- record is not looked into: no text of PostgreSQL's holds the U+0000 that may be in someone's metadata.
create or replace function writetostorage(
    _grainidhash integer, _grainidn0 bigint, _grainidn1 bigint, _graintypehash integer, _graintypestring text,
    _grainidextensionstring text, _serviceid text, _grainstateversion integer, _payloadbinary bytea)
    returns table (newgrainstateversion integer) language plpgsql as
$$
declare
    _lines   text[]  := string_to_array(convert_from(_payloadbinary, 'UTF8'), E'\n');
    _count   integer := array_length(_lines, 1);
    _head    json    := _lines[1]::json;
    _block   bigint  := (_head ->> 'block')::bigint;
    _name    text    := lease_name(_grainidextensionstring);
    -- A version that is compared for equality only may wrap.
    _next    integer := case when _grainstateversion = 2147483647 then 1 else coalesce(_grainstateversion, 0) + 1 end;
    _held    boolean := (_head ->> 'held')::boolean;
    _due     bigint  := (_head ->> 'due')::bigint;
    -- Of a silo of before there is none.
    _shard   integer := (_head ->> 'shard')::integer;
    _idle    bigint  := case when _shard is null then lease_idle(_graintypestring, _held, _due) else (_head ->> 'idle')::bigint end;
    _written integer;
begin
    if not exists (select from lease_meta where epoch = (_head ->> 'epoch')::integer) then
        return query select null::integer;
        return;
    end if;

    if _grainstateversion is null then
        _next := coalesce((_head ->> 'version')::integer, 1);
        insert into lease_record (service_id, kind, name, version, modified_on, due, held, log_block, payload, idle)
        values (_serviceid, _graintypestring, _name, _next, clock_timestamp(), _due, _held, _block, _lines[_count], _idle)
        on conflict do nothing;
        get diagnostics _written = row_count;
        if _written > 0 and exists (
            select from take_back_lease_records(
                _serviceid, array[_graintypestring], array[_name], array[_shard], array[(_head ->> 'token')::bigint],
                array[(_head ->> 'sequence')::bigint]))
        then
            _written := 0;
        end if;
    else
        update lease_record
        set version = _next, modified_on = clock_timestamp(), due = _due, held = _held, log_block = _block, payload = _lines[_count], idle = _idle
        where service_id = _serviceid and kind = _graintypestring and name = _name and version = _grainstateversion;
        get diagnostics _written = row_count;
    end if;

    if _written = 0 then
        return query select null::integer;
        return;
    end if;

    -- The finished blocks are those just before the newest one.
    if _count > 2 then
        insert into lease_log (service_id, kind, name, slot, block, entries)
        select _serviceid, _graintypestring, _name, block % 64, block, _lines[2 + block - (_block - (_count - 2))]
        from generate_series(_block - (_count - 2), _block - 1) block
        on conflict on constraint lease_log_key do update set block = excluded.block, entries = excluded.entries;
    end if;

    return query select _next;
end
$$;

-- Lines again: the epoch, the older blocks of the log, and the record.
create or replace function readfromstorage(_serviceid text, _graintypestring text, _grainidextensionstring text)
    returns table (payloadbinary bytea, version integer) language sql stable as
$$
    -- The epoch by itself: joined, its one row was taken for a thousand, and the plan compiled for each read.
    select convert_to(concat_ws(E'\n', (select epoch from lease_meta),
               (select string_agg(log.entries, E'\n' order by log.block)
                from lease_log log
                where log.service_id = record.service_id and log.kind = record.kind and log.name = record.name
                  and log.block >= record.log_block - case record.kind when 'key' then 64 else 33 end and log.block < record.log_block),
               record.payload), 'UTF8'),
           record.version
    from lease_record record
    where record.service_id = _serviceid and record.kind = _graintypestring and record.name = lease_name(_grainidextensionstring)
$$;

-- What silos do that gather the records of their grains: the same for many records at once, each with an outcome of its own.
-- The plans are fixed, a look into the key for each record. "offset 0" keeps the look a look: where it is joined, a table that has
-- just begun to grow is read whole, and still so once it is large. The one row of lease_meta is found by its key: a scan that is
-- switched off costs so much on paper that the plan would be compiled each time, but for jit.

-- The records that there are, by their place in the arrays, with the older blocks of their logs as lines.
create or replace function load_lease_records(_service text, _kinds text[], _names text[])
    returns table (place integer, epoch integer, version integer, payload text, older text) language plpgsql stable
    set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set plan_cache_mode = force_generic_plan set jit = off as
$$
#variable_conflict use_column
begin
    return query
    select item.place::integer, (select epoch from lease_meta where only_row), record.version, record.payload,
           case when record.log_block > 0 then
               (select string_agg(log.entries, E'\n' order by log.block)
                from lease_log log
                where log.service_id = record.service_id and log.kind = record.kind and log.name = record.name
                  and log.block >= record.log_block - case record.kind when 'key' then 64 else 33 end and log.block < record.log_block)
           end
    from unnest(_kinds, _names) with ordinality item (kind, name, place)
        cross join lateral (
            select * from lease_record
            where service_id = _service and kind = item.kind and name = item.name offset 0) record;
end
$$;

-- Compare-and-swap of many records: answers those that it has written, with their new versions. Where a first record (one without
-- a version) finds the name taken, the answer is what is stored there; all that it does not answer were of another version or epoch.
-- The records come in the order of their kinds and names: two of these that meet wait for each other at most one way. A row that
-- somebody keeps locked makes it fail soon, so that the others are written without it.
-- First records come with their versions, their shards and the floors that they were made above; where a batch has none, these are empty.
create or replace function store_lease_records(
    _service text, _epoch integer, _kinds text[], _names text[], _versions integer[], _dues bigint[], _held boolean[], _blocks bigint[],
    _payloads text[], _log_kinds text[], _log_names text[], _log_blocks bigint[], _log_entries text[],
    _idle bigint[], _firsts integer[], _shards integer[], _tokens bigint[], _sequences bigint[])
    returns table (kind text, name text, version integer, payload text, older text) language plpgsql
    set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set plan_cache_mode = force_generic_plan set jit = off
    set lock_timeout = '1s' as
$$
#variable_conflict use_column
declare
    _first integer := (select count(*) from unnest(_versions) version where version is null);
    _added_kinds text[];
    _added_names text[];
    _added_versions integer[];
    _low_kinds text[];
    _low_names text[];
    _taken_kinds text[];
    _taken_names text[];
begin
    if not exists (select from lease_meta where only_row and epoch = _epoch) then
        return;
    end if;

    if _first < cardinality(_versions) then
        return query
        update lease_record record
        -- A version that is compared for equality only may wrap.
        set version = item.version % 2147483647 + 1, modified_on = clock_timestamp(), due = item.due, held = item.held,
            log_block = item.block, payload = item.payload, idle = item.idle
        from unnest(_kinds, _names, _versions, _dues, _held, _blocks, _payloads, _idle)
                item (kind, name, version, due, held, block, payload, idle)
            cross join lateral (
                select ctid from lease_record
                where service_id = _service and kind = item.kind and name = item.name and version = item.version offset 0) stored
        -- Compared once more: whoever has waited for another's update finds the row that that has left.
        where record.ctid = stored.ctid and record.version = item.version
        returning record.kind, record.name, record.version, null::text, null::text;
    end if;

    if _first > 0 then
        with added as (
            insert into lease_record as record (service_id, kind, name, version, modified_on, due, held, log_block, payload, idle)
            select _service, item.kind, item.name, item.first, clock_timestamp(), item.due, item.held, item.block, item.payload, item.idle
            from unnest(_kinds, _names, _versions, _dues, _held, _blocks, _payloads, _idle, _firsts)
                item (kind, name, version, due, held, block, payload, idle, first)
            where item.version is null
            on conflict do nothing
            returning record.kind, record.name, record.version)
        select array_agg(kind), array_agg(name), array_agg(version) into _added_kinds, _added_names, _added_versions from added;

        -- Looked at first, since it is nearly always so that none has risen. After the rows were written, and as a statement of its own:
        -- see there.
        if _added_names is not null and (
            current_setting('transaction_isolation') <> 'read committed'
            or exists (
                select from unnest(_kinds, _versions, _shards, _tokens, _sequences) item (kind, version, shard, token, sequence)
                    cross join lateral (
                        select from lease_floor
                        where service_id = _service and kind = item.kind and shard = item.shard
                          and (token > item.token or sequence > item.sequence) offset 0) risen
                where item.version is null)
            or exists (
                select from unnest(_versions, _shards) item (version, shard) where item.version is null and item.shard is null))
        then
            select array_agg(low.kind), array_agg(low.name) into _low_kinds, _low_names
            from (
                select array_agg(item.kind order by item.place) as kinds, array_agg(item.name order by item.place) as names,
                       array_agg(item.shard order by item.place) as shards, array_agg(item.token order by item.place) as tokens,
                       array_agg(item.sequence order by item.place) as sequences
                from unnest(_kinds, _names, _versions, _shards, _tokens, _sequences) with ordinality
                    item (kind, name, version, shard, token, sequence, place)
                where item.version is null) firsts
                cross join lateral take_back_lease_records(
                    _service, firsts.kinds, firsts.names, firsts.shards, firsts.tokens, firsts.sequences) low;
        end if;

        return query
        select added.kind, added.name, added.version, null::text, null::text
        from unnest(_added_kinds, _added_names, _added_versions) added (kind, name, version)
        where _low_names is null
           or not exists (select from unnest(_low_kinds, _low_names) low (kind, name) where low.kind = added.kind and low.name = added.name);

        if coalesce(cardinality(_added_names), 0) < _first then
            -- What this transaction has written itself bears its number.
            select array_agg(item.kind), array_agg(item.name) into _taken_kinds, _taken_names
            from unnest(_kinds, _names, _versions) item (kind, name, version)
                cross join lateral (
                    select xmin from lease_record where service_id = _service and kind = item.kind and name = item.name offset 0) record
            where item.version is null and record.xmin <> pg_current_xact_id()::xid;
            return query
            select _taken_kinds[found.place], _taken_names[found.place], found.version, found.payload, found.older
            from load_lease_records(_service, _taken_kinds, _taken_names) found;
        end if;
    end if;

    if cardinality(_log_names) > 0 then
        insert into lease_log (service_id, kind, name, slot, block, entries)
        select _service, item.kind, item.name, item.block % 64, item.block, item.entries
        from unnest(_log_kinds, _log_names, _log_blocks, _log_entries) item (kind, name, block, entries)
            cross join lateral (
                select xmin from lease_record where service_id = _service and kind = item.kind and name = item.name offset 0) record
        where record.xmin = pg_current_xact_id()::xid
        on conflict on constraint lease_log_key do update set block = excluded.block, entries = excluded.entries;
    end if;
end
$$;

-- As silos of before call it, which go on while others are replaced.
create or replace function save_lease_records(
    _service text, _epoch integer, _kinds text[], _names text[], _versions integer[], _dues bigint[], _held boolean[], _blocks bigint[],
    _payloads text[], _log_kinds text[], _log_names text[], _log_blocks bigint[], _log_entries text[])
    returns table (kind text, name text, version integer, payload text, older text) language sql volatile
    set lock_timeout = '1s' as
$$
    select * from store_lease_records(
        _service, _epoch, _kinds, _names, _versions, _dues, _held, _blocks, _payloads, _log_kinds, _log_names, _log_blocks, _log_entries,
        (select array_agg(lease_idle(item.kind, item.held, item.due) order by item.place)
         from unnest(_kinds, _held, _dues) with ordinality item (kind, held, due, place)),
        array_fill(1, array[cardinality(_names)]), '{}', '{}', '{}')
$$;

-- Drops records, where they are of the version given, with the blocks of their logs, and raises the floors of their shards; it answers
-- those that it has dropped.
create or replace function drop_lease_records(
    _service text, _epoch integer, _kinds text[], _names text[], _versions integer[], _shards integer[], _tokens bigint[],
    _sequences bigint[])
    returns table (kind text, name text) language plpgsql security definer
    set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set plan_cache_mode = force_generic_plan set jit = off
    set lock_timeout = '1s' as
$$
#variable_conflict use_column
declare
    _dropped_kinds text[];
    _dropped_names text[];
begin
    if not exists (select from lease_meta where epoch = _epoch and only_row) then
        return;
    end if;

    with dropped as (
        delete from lease_record record
        using unnest(_kinds, _names, _versions) item (kind, name, version)
            cross join lateral (
                select ctid from lease_record
                where service_id = _service and kind = item.kind and name = item.name and version = item.version offset 0) stored
        where record.version = item.version and record.ctid = stored.ctid
        returning record.kind, record.name)
    select array_agg(kind), array_agg(name) into _dropped_kinds, _dropped_names from dropped;
    if _dropped_names is null then
        return;
    end if;

    delete from lease_log log
    using unnest(_dropped_kinds, _dropped_names) item (kind, name)
    where log.service_id = _service and log.kind = item.kind and log.name = item.name;

    insert into lease_floor as floor (service_id, kind, shard, token, sequence)
    select _service, item.kind, item.shard, max(item.token), max(item.sequence)
    from unnest(_kinds, _names, _shards, _tokens, _sequences) item (kind, name, shard, token, sequence)
    where exists (
        select from unnest(_dropped_kinds, _dropped_names) done (kind, name) where done.kind = item.kind and done.name = item.name)
    group by item.kind, item.shard
    -- Two of these that meet wait for each other at most one way.
    order by item.kind, item.shard
    on conflict on constraint lease_floor_key do update
    set token = greatest(floor.token, excluded.token), sequence = greatest(floor.sequence, excluded.sequence)
    where floor.token < excluded.token or floor.sequence < excluded.sequence;

    return query select done.kind, done.name from unnest(_dropped_kinds, _dropped_names) done (kind, name);
end
$$;

-- These two delete, by the right of the owner: silos have none. So they look for the tables where they are, and nowhere else.
do $$
begin
    execute format('alter function take_back_lease_records set search_path to %I, pg_temp', current_schema());
    execute format('alter function drop_lease_records set search_path to %I, pg_temp', current_schema());
end
$$;
revoke execute on function drop_lease_records from public;

insert into OrleansQuery (QueryKey, QueryText) values
    ('WriteToStorageKey', 'select * from writetostorage(@GrainIdHash, @GrainIdN0, @GrainIdN1, @GrainTypeHash, @GrainTypeString, @GrainIdExtensionString, @ServiceId, @GrainStateVersion, @PayloadBinary)'),
    ('ReadFromStorageKey', 'select payloadbinary as PayloadBinary, version as Version from readfromstorage(@ServiceId, @GrainTypeString, @GrainIdExtensionString)'),
    -- A cleared record would forget its token counter, so the provider clears nothing: the answer is a lost compare-and-swap.
    ('ClearStorageKey', 'select null::integer as NewGrainStateVersion'),
    ('DeleteStorageKey', 'select null::integer as NewGrainStateVersion')
on conflict (QueryKey) do update set QueryText = excluded.QueryText;

-- Who holds what, for people: a row for each holder, and one for a free resource. `held_until` is the stored horizon, at
-- or after every deadline that was told.
create or replace view leases as
select record.service_id, record.name as resource, record.held,
       holder ->> 'o' as owner, (holder ->> 't')::bigint as token,
       to_timestamp((holder ->> 'r')::bigint / 1000.0) as held_until,
       make_interval(secs => (holder ->> 'ttl')::bigint / 1000.0) as ttl,
       (parsed.payload ->> 'last')::bigint as last_token, record.modified_on
from lease_record record
    cross join lateral (select regexp_replace(record.payload, '(?<!\\)((?:\\\\)*)\\u0000', '\1', 'g')::json as payload) parsed
    left join lateral json_array_elements(parsed.payload -> 'holders') holder on true
where record.kind = 'lease';


-- The keys that there are. One that is bound shows until it is cleaned up, which is soon after its lease has ended.
create or replace view lease_keys as
select record.service_id, record.name as key, parsed.payload ->> 'val' as value,
       parsed.payload -> 'b' ->> 'r' as resource, parsed.payload -> 'b' ->> 'o' as owner, (parsed.payload -> 'b' ->> 't')::bigint as token,
       record.modified_on
from lease_record record
    cross join lateral (select regexp_replace(record.payload, '(?<!\\)((?:\\\\)*)\\u0000', '\1', 'g')::json as payload) parsed
where record.kind = 'key' and parsed.payload ->> 'val' is not null;


-- Clustering: the extended membership protocol, after the script of Orleans 10 (MIT licence) ---------------------------

create table if not exists OrleansMembershipVersionTable
(
    DeploymentId varchar(150) not null constraint PK_OrleansMembershipVersionTable_DeploymentId primary key,
    Timestamp    timestamptz(3) not null default now(),
    Version      integer not null default 0
);

create table if not exists OrleansMembershipTable
(
    DeploymentId varchar(150) not null,
    Address      varchar(45) not null,
    Port         integer not null,
    Generation   integer not null,
    SiloName     varchar(150) not null,
    HostName     varchar(150) not null,
    Status       integer not null,
    ProxyPort    integer,
    SuspectTimes varchar(8000),
    StartTime    timestamptz(3) not null,
    IAmAliveTime timestamptz(3) not null,
    constraint PK_MembershipTable_DeploymentId primary key (DeploymentId, Address, Port, Generation),
    constraint FK_MembershipTable_MembershipVersionTable_DeploymentId foreign key (DeploymentId) references OrleansMembershipVersionTable (DeploymentId)
);

-- Each change of a member's row and of the version happens with the other or not at all.
create or replace function insert_membership(
    _deploymentid varchar, _address varchar, _port integer, _generation integer, _siloname varchar, _hostname varchar,
    _status integer, _proxyport integer, _starttime timestamptz, _iamalivetime timestamptz, _version integer)
    returns table (row_count integer) language plpgsql as
$$
begin
    -- The version's row is locked first by everyone, so two changes cannot wait for each other.
    perform from OrleansMembershipVersionTable where DeploymentId = _deploymentid and Version = _version for update;
    if not found then
        return query select 0;
        return;
    end if;

    insert into OrleansMembershipTable (DeploymentId, Address, Port, Generation, SiloName, HostName, Status, ProxyPort, StartTime, IAmAliveTime)
    values (_deploymentid, _address, _port, _generation, _siloname, _hostname, _status, _proxyport, _starttime, _iamalivetime)
    on conflict do nothing;
    if not found then
        return query select 0;
        return;
    end if;

    update OrleansMembershipVersionTable set Timestamp = now(), Version = Version + 1 where DeploymentId = _deploymentid;
    return query select 1;
end
$$;

create or replace function update_membership(
    _deploymentid varchar, _address varchar, _port integer, _generation integer, _status integer, _suspecttimes varchar,
    _iamalivetime timestamptz, _version integer)
    returns table (row_count integer) language plpgsql as
$$
begin
    perform from OrleansMembershipVersionTable where DeploymentId = _deploymentid and Version = _version for update;
    if not found then
        return query select 0;
        return;
    end if;

    update OrleansMembershipTable set Status = _status, SuspectTimes = _suspecttimes, IAmAliveTime = _iamalivetime
    where DeploymentId = _deploymentid and Address = _address and Port = _port and Generation = _generation;
    if not found then
        return query select 0;
        return;
    end if;

    update OrleansMembershipVersionTable set Timestamp = now(), Version = Version + 1 where DeploymentId = _deploymentid;
    return query select 1;
end
$$;

insert into OrleansQuery (QueryKey, QueryText) values
    ('UpdateIAmAlivetimeKey', 'update OrleansMembershipTable set IAmAliveTime = @IAmAliveTime where DeploymentId = @DeploymentId and Address = @Address and Port = @Port and Generation = @Generation'),
    ('InsertMembershipVersionKey', 'with inserted as (insert into OrleansMembershipVersionTable (DeploymentId) values (@DeploymentId) on conflict do nothing returning 1) select count(*)::integer as row_count from inserted'),
    ('InsertMembershipKey', 'select * from insert_membership(@DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime, @Version)'),
    ('UpdateMembershipKey', 'select * from update_membership(@DeploymentId, @Address, @Port, @Generation, @Status, @SuspectTimes, @IAmAliveTime, @Version)'),
    ('MembershipReadRowKey', 'select v.DeploymentId, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes, m.StartTime, m.IAmAliveTime, v.Version from OrleansMembershipVersionTable v left join OrleansMembershipTable m on m.DeploymentId = v.DeploymentId and m.Address = @Address and m.Port = @Port and m.Generation = @Generation where v.DeploymentId = @DeploymentId'),
    ('MembershipReadAllKey', 'select v.DeploymentId, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes, m.StartTime, m.IAmAliveTime, v.Version from OrleansMembershipVersionTable v left join OrleansMembershipTable m on m.DeploymentId = v.DeploymentId where v.DeploymentId = @DeploymentId'),
    ('DeleteMembershipTableEntriesKey', 'delete from OrleansMembershipTable where DeploymentId = @DeploymentId; delete from OrleansMembershipVersionTable where DeploymentId = @DeploymentId'),
    ('GatewaysQueryKey', 'select Address, ProxyPort, Generation from OrleansMembershipTable where DeploymentId = @DeploymentId and Status = @Status and ProxyPort > 0'),
    ('CleanupDefunctSiloEntriesKey', 'delete from OrleansMembershipTable where DeploymentId = @DeploymentId and IAmAliveTime < @IAmAliveTime and Status <> 3')
on conflict (QueryKey) do update set QueryText = excluded.QueryText;


-- Reminders: after the script of Orleans 10 (MIT licence) --------------------------------------------------------------

create table if not exists OrleansRemindersTable
(
    ServiceId    varchar(150) not null,
    GrainId      text not null,
    ReminderName varchar(150) not null,
    StartTime    timestamptz(3) not null,
    Period       bigint not null,
    GrainHash    integer not null,
    Version      integer not null,
    constraint PK_RemindersTable_ServiceId_GrainId_ReminderName primary key (ServiceId, GrainId, ReminderName)
);

-- Every silo reads the ranges of hashes it answers for, again and again; without this each is a scan of the table.
create index if not exists OrleansRemindersTable_GrainHash on OrleansRemindersTable (ServiceId, GrainHash);

insert into OrleansQuery (QueryKey, QueryText) values
    ('UpsertReminderRowKey', 'insert into OrleansRemindersTable as r (ServiceId, GrainId, ReminderName, StartTime, Period, GrainHash, Version) values (@ServiceId, @GrainId, @ReminderName, @StartTime, @Period, @GrainHash, 0) on conflict (ServiceId, GrainId, ReminderName) do update set StartTime = excluded.StartTime, Period = excluded.Period, GrainHash = excluded.GrainHash, Version = r.Version + 1 returning Version as version'),
    ('ReadReminderRowsKey', 'select GrainId, ReminderName, StartTime, Period, Version from OrleansRemindersTable where ServiceId = @ServiceId and GrainId = @GrainId'),
    ('ReadReminderRowKey', 'select GrainId, ReminderName, StartTime, Period, Version from OrleansRemindersTable where ServiceId = @ServiceId and GrainId = @GrainId and ReminderName = @ReminderName'),
    ('ReadRangeRows1Key', 'select GrainId, ReminderName, StartTime, Period, Version from OrleansRemindersTable where ServiceId = @ServiceId and GrainHash > @BeginHash and GrainHash <= @EndHash'),
    ('ReadRangeRows2Key', 'select GrainId, ReminderName, StartTime, Period, Version from OrleansRemindersTable where ServiceId = @ServiceId and (GrainHash > @BeginHash or GrainHash <= @EndHash)'),
    ('DeleteReminderRowKey', 'with deleted as (delete from OrleansRemindersTable where ServiceId = @ServiceId and GrainId = @GrainId and ReminderName = @ReminderName and Version = @Version returning 1) select count(*)::integer as row_count from deleted'),
    ('DeleteReminderRowsKey', 'delete from OrleansRemindersTable where ServiceId = @ServiceId')
on conflict (QueryKey) do update set QueryText = excluded.QueryText;


-- What a silo compares, so that a function or query that someone changed by hand is not taken for ours.
create or replace function lease_fingerprint() returns text language sql stable as
$$
    select md5(string_agg(part, E'\n' order by part))
    from (select QueryKey || ' ' || QueryText as part from OrleansQuery
          union all
          select proname || ' ' || prosrc from pg_proc
          where pronamespace = quote_ident(current_schema())::regnamespace
            and proname in ('lease_name', 'writetostorage', 'readfromstorage', 'load_lease_records', 'save_lease_records',
                          'store_lease_records', 'drop_lease_records', 'take_back_lease_records', 'lease_idle', 'insert_membership',
                          'update_membership')) parts
$$;

-- Last: whoever finds this version finds all of the above.
insert into lease_meta (schema_version, fingerprint) values (3, lease_fingerprint())
on conflict (only_row) do update set schema_version = excluded.schema_version, fingerprint = excluded.fingerprint;
