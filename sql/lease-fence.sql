-- The fence on the resource's side: install it where the table is that leases guard, with
--   psql -v ON_ERROR_STOP=1 -f sql/lease-fence.sql
-- in the schema that comes first in the search path, or by LeaseFence.InstallAsync. It may be applied again at any time, by the
-- same role. Nobody else may call it until that role says who:
--   grant execute on function lease_fence(text, bigint), lease_fence_raise(text, bigint) to my_service;
-- A token is no password: whoever may call the fence may close a resource, by a token that was never granted. The owner opens
-- it again: select lease_fence_reset('orders/42', 33).
-- A token of a later restore epoch than the fence knows of is refused. After a backup of the lease service was restored, the owner
-- says which epoch there is now: select lease_fence_accept_epoch(1). A new fence knows the epoch 0.
-- Where others may create functions in a schema of your search path, name the fence's: select fence.lease_fence('orders/42', 33).
--
--   begin;
--   select lease_fence('orders/42', 33);   -- raises LF001 where a greater token than 33 has been seen
--   update orders set …;
--   commit;
--
-- Where what the token guards is not in this database, first raise the token for good, and then keep a transaction open that
-- has passed the fence, until all is done. LeaseFence.HoldAsync does that:
--
--   select lease_fence_raise('orders/42', 33);   -- by itself: committed at once; waits for those inside under lower tokens
--   begin;
--   select lease_fence('orders/42', 33);         -- those with greater tokens wait
--   …
--   rollback;
--
-- For exclusive leases: tokens of shared ones are identities, not fences.

-- What others have prepared here would run with the fence's rights, or in its place: it is refused.
do $check$
declare
    _path constant text := pg_catalog.current_setting('search_path');
    _name constant text := pg_catalog.current_schema();
    _schema oid;
    _trusted oid[];
    _found text;
begin
    -- An operator of somebody's in the search path would be run here with the rights of who installs.
    perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    select n.oid, array[d.datdba, r.oid] into _schema, _trusted
    from pg_catalog.pg_namespace n, pg_catalog.pg_database d, pg_catalog.pg_roles r
    where n.nspname = _name and d.datname = pg_catalog.current_database() and r.rolname = current_user;
    if _schema is null then
        raise exception 'the search path names no schema that exists' using hint = 'Create the schema, or name it in the search path.';
    end if;

    select pg_catalog.format('the schema %I belongs to %I', n.nspname, r.rolname) into _found
    from pg_catalog.pg_namespace n join pg_catalog.pg_roles r on r.oid = n.nspowner
    where n.oid = _schema and n.nspowner <> all (_trusted) and not r.rolsuper and r.rolname <> 'pg_database_owner';
    if _found is null then
        select pg_catalog.format('%s may create objects in the schema %I',
            case when a.grantee = 0 then 'everybody' else pg_catalog.quote_ident(r.rolname) end, n.nspname) into _found
        from pg_catalog.pg_namespace n, lateral pg_catalog.aclexplode(n.nspacl) a left join pg_catalog.pg_roles r on r.oid = a.grantee
        where n.oid = _schema and a.privilege_type = 'CREATE' and a.grantee <> all (_trusted || n.nspowner)
            and (a.grantee = 0 or not r.rolsuper and r.rolname <> 'pg_database_owner');
    end if;

    if _found is null then
        select pg_catalog.format('the function %s belongs to %I', p.oid::pg_catalog.regprocedure, r.rolname) into _found
        from pg_catalog.pg_proc p join pg_catalog.pg_roles r on r.oid = p.proowner
        where p.pronamespace = _schema and p.proname in (
                'lease_fence', 'lease_fence_raise', 'lease_fence_reset', 'lease_fence_admit', 'lease_fence_accept_epoch')
            and (p.proowner <> all (_trusted) or p.prokind <> 'f'
                or (p.proname::text, p.proargtypes::text) not in (('lease_fence', '25 20'), ('lease_fence_raise', '25 20'),
                    ('lease_fence_reset', '25 20'), ('lease_fence_admit', '25'), ('lease_fence_accept_epoch', '23')));
    end if;

    if _found is null then
        select pg_catalog.format('%s of %I is not the fence''s table', c.oid::pg_catalog.regclass, r.rolname) into _found
        from pg_catalog.pg_class c join pg_catalog.pg_roles r on r.oid = c.relowner
        join (values ('lease_fence_token', 'resource text, token bigint'), ('lease_fence_epoch', 'epoch integer'))
            as own (name, columns)
            on own.name = c.relname
        where c.relnamespace = _schema
            and (c.relowner <> all (_trusted) or c.relkind <> 'r' or c.relhasrules or c.relhastriggers or c.relrowsecurity
                or c.relhassubclass or c.relispartition or c.relacl is not null
                or (select pg_catalog.string_agg(a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
                    from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0) <> own.columns);
    end if;

    if _found is not null then
        raise exception 'the fence is not installed: %', _found
            using errcode = 'insufficient_privilege',
            hint = 'Install it in a schema of your own where nobody else may create objects, or have what is there removed: '
                'create schema, revoke create on schema … from public, drop function, drop table.';
    end if;

    perform pg_catalog.set_config('search_path', _path, true);
end
$check$;

-- The greatest token that was seen of each resource. Rows are never deleted: a deleted one would let every token pass.
create table if not exists lease_fence_token
(
    resource text collate "C" primary key,
    token    bigint not null
);

-- The greatest restore epoch whose tokens are taken, in one row. A fence from before it had one knows those that it has seen.
create table if not exists lease_fence_epoch
(
    epoch integer not null
);

do $install$
begin
    execute format($insert$
insert into %1$I.lease_fence_epoch select coalesce(max(token), 0) >> 40 from %1$I.lease_fence_token
where not exists (select from %1$I.lease_fence_epoch)
$insert$, current_schema());

    -- Puts the transaction in line with those that raise the token of a resource. The lock is advisory, and so anybody's who is
    -- connected to the database: it keeps the line in order, and nothing rests on it. Who finds a stranger to the fence before them
    -- goes past.
    execute format($create$
create or replace function lease_fence_admit(resource text) returns void
    language plpgsql set search_path = pg_catalog, %I, pg_temp as
$body$
declare
    -- Another fence of the same database has a line of its own.
    _key constant bigint := hashtextextended('lease_fence:' || lease_fence_admit.resource, 'lease_fence_token'::regclass::oid::bigint);
    _timeout constant text := current_setting('lock_timeout');
    _end constant timestamptz := clock_timestamp() + nullif(_timeout::interval, interval '0');
    -- Long enough for the server to find that two wait for each other.
    _pause constant interval := current_setting('deadlock_timeout')::interval + interval '1 s';
    _wait interval;
begin
    if pg_try_advisory_xact_lock(_key) then
        return;
    end if;

    loop
        if exists (
            select from pg_locks l left join pg_stat_activity a on a.pid = l.pid
            where l.locktype = 'advisory' and l.granted and l.pid is distinct from pg_backend_pid() and l.objsubid = 1
                and l.database = (select oid from pg_database where datname = current_database())
                and l.classid = ((_key >> 32) & 4294967295)::oid and l.objid = (_key & 4294967295)::oid
                and has_function_privilege(a.usesysid, 'lease_fence(text, bigint)'::regprocedure, 'execute') is not true) then
            return;
        end if;

        begin
            _wait := greatest(least(_pause, _end - clock_timestamp()), interval '1 ms');
            perform set_config('lock_timeout', ceil(extract(epoch from _wait) * 1000)::text, true);
            perform pg_advisory_xact_lock(_key);
            perform set_config('lock_timeout', _timeout, true);
            return;
        exception when lock_not_available then
            if clock_timestamp() >= _end then
                raise;
            end if;
        end;
    end loop;
end
$body$
$create$, current_schema());

    -- With its owner's rights, so that those who write the guarded table cannot set tokens by hand; and with a search path
    -- that nobody's temporary table comes before.
    execute format($create$
create or replace function lease_fence(resource text, token bigint) returns void
    language plpgsql security definer set search_path = pg_catalog, %I, pg_temp as
$body$
#variable_conflict use_column
declare
    _seen bigint;
    _epoch bigint;
    _is_admitted boolean := false;
begin
    if lease_fence.resource is null or lease_fence.token is null or lease_fence.token not between 1 and 9007199254740991
        or octet_length(lease_fence.resource) > 512 then
        raise exception 'lease_fence takes a resource of at most 512 bytes and a token from 1 to 9007199254740991, not (%%, %%)',
            left(lease_fence.resource, 100), lease_fence.token
            using errcode = 'invalid_parameter_value';
    end if;

    loop
        select token into _seen from lease_fence_token where resource = lease_fence.resource;
        if _seen = lease_fence.token then
            -- Writers under one token go side by side; a greater one waits until they are done, and then they are over.
            select token into _seen from lease_fence_token where resource = lease_fence.resource for share;
            exit when _seen = lease_fence.token;
        end if;

        if _seen > lease_fence.token then
            raise exception 'token %% of %% is stale: %% has been seen', lease_fence.token, lease_fence.resource, _seen
                using errcode = 'LF001', hint = 'Somebody else holds the lease by now. Stop working on it.';
        end if;

        -- The 13 bits of the epoch are above the 40 of the counter.
        if lease_fence.token >> 40 > coalesce(_seen >> 40, -1) then
            select coalesce(max(epoch), 0) into _epoch from lease_fence_epoch;
            if lease_fence.token >> 40 > _epoch then
                raise exception 'token %% of %% is of the restore epoch %%, and this fence takes tokens up to the epoch %%',
                    lease_fence.token, lease_fence.resource, lease_fence.token >> 40, _epoch
                    using errcode = 'LF002', hint = format(
                        'If the lease service says that this is its epoch, the owner of the fence accepts it: '
                        'select lease_fence_accept_epoch(%%s). Otherwise the token was never granted.', lease_fence.token >> 40);
            end if;
        end if;

        if not _is_admitted then
            -- One at a time raises a resource's token. Whoever came second looks again, and may find it done.
            perform lease_fence_admit(lease_fence.resource);
            _is_admitted := true;
            continue;
        end if;

        insert into lease_fence_token as seen (resource, token) values (lease_fence.resource, lease_fence.token)
        on conflict (resource) do update set token = excluded.token where seen.token < excluded.token;
        exit when found;
    end loop;
end
$body$
$create$, current_schema());

    execute format($create$
create or replace function lease_fence_raise(resource text, token bigint) returns void
    language plpgsql security definer set search_path = pg_catalog, %I, pg_temp as
$body$
#variable_conflict use_column
begin
    -- In line behind whoever is about to raise it. A lock on a row is given to all who come to share it, past those who
    -- wait to change the row: so many holders that come one after the other would keep a greater token out for ever.
    perform lease_fence_admit(lease_fence_raise.resource);
    if (select token from lease_fence_token where resource = lease_fence_raise.resource) = lease_fence_raise.token then
        return;
    end if;

    perform lease_fence(lease_fence_raise.resource, lease_fence_raise.token);
end
$body$
$create$, current_schema());

    -- For the owner, who alone may write the table: what somebody closed by a token that was never granted is opened again. With
    -- 0 every token passes.
    execute format($create$
create or replace function lease_fence_reset(resource text, token bigint) returns void
    language sql set search_path = pg_catalog, %I, pg_temp as
$body$
    update lease_fence_token as seen set token = lease_fence_reset.token where seen.resource = lease_fence_reset.resource;
$body$
$create$, current_schema());

    -- For the owner, once the lease service has a new epoch: tokens up to it are taken from now on. Also the way back from an epoch that
    -- was accepted by mistake.
    execute format($create$
create or replace function lease_fence_accept_epoch(epoch integer) returns void
    language plpgsql set search_path = pg_catalog, %I, pg_temp as
$body$
begin
    if lease_fence_accept_epoch.epoch is null or lease_fence_accept_epoch.epoch not between 0 and 8191 then
        raise exception 'lease_fence_accept_epoch takes an epoch from 0 to 8191, not %%', lease_fence_accept_epoch.epoch
            using errcode = 'invalid_parameter_value';
    end if;

    update lease_fence_epoch set epoch = lease_fence_accept_epoch.epoch;
    if not found then
        insert into lease_fence_epoch values (lease_fence_accept_epoch.epoch);
    end if;
end
$body$
$create$, current_schema());
end
$install$;

revoke execute on function lease_fence(text, bigint), lease_fence_raise(text, bigint), lease_fence_reset(text, bigint),
    lease_fence_admit(text), lease_fence_accept_epoch(integer) from public;
