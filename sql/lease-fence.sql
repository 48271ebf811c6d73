-- The fence on the resource's side: install it where the table is that leases guard, with
--   psql -v ON_ERROR_STOP=1 -f sql/lease-fence.sql
-- in the schema that comes first in the search path, or by LeaseFence.InstallAsync. It may be applied again at any time, by the
-- same role. Nobody else may call it until that role says who:
--   grant execute on function lease_fence(text, bigint), lease_fence_raise(text, bigint) to my_service;
-- A token is no password: whoever may call the fence may close it, by a token greater than any there will be. The owner opens
-- it again: select lease_fence_reset('orders/42', 33).
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
    _schema oid;
    _trusted oid[];
    _found text;
begin
    select n.oid, array[d.datdba, r.oid] into _schema, _trusted
    from pg_catalog.pg_namespace n, pg_catalog.pg_database d, pg_catalog.pg_roles r
    where n.nspname = pg_catalog.current_schema() and d.datname = pg_catalog.current_database() and r.rolname = current_user;
    if _schema is null then
        raise exception 'the search path names no schema that exists' using hint = 'Create the schema, or name it in the search path.';
    end if;

    select pg_catalog.format('the schema %I belongs to %I', n.nspname, r.rolname) into _found
    from pg_catalog.pg_namespace n join pg_catalog.pg_roles r on r.oid = n.nspowner
    where n.oid = _schema and n.nspowner <> all (_trusted) and not r.rolsuper and r.rolname <> 'pg_database_owner';
    if _found is null then
        select pg_catalog.format('everybody may create objects in the schema %I', n.nspname) into _found
        from pg_catalog.pg_namespace n, lateral pg_catalog.aclexplode(n.nspacl) a
        where n.oid = _schema and a.grantee = 0 and a.privilege_type = 'CREATE';
    end if;

    if _found is null then
        select pg_catalog.format('the function %s belongs to %I', p.oid::pg_catalog.regprocedure, r.rolname) into _found
        from pg_catalog.pg_proc p join pg_catalog.pg_roles r on r.oid = p.proowner
        where p.pronamespace = _schema and p.proname in ('lease_fence', 'lease_fence_raise', 'lease_fence_reset')
            and (p.proowner <> all (_trusted) or p.prokind <> 'f' or p.proargtypes::text <> '25 20');
    end if;

    if _found is null then
        select pg_catalog.format('%s of %I is not the fence''s table', c.oid::pg_catalog.regclass, r.rolname) into _found
        from pg_catalog.pg_class c join pg_catalog.pg_roles r on r.oid = c.relowner
        where c.relnamespace = _schema and c.relname = 'lease_fence_token'
            and (c.relowner <> all (_trusted) or c.relkind <> 'r' or c.relhasrules or c.relhastriggers or c.relrowsecurity
                or c.relhassubclass or c.relispartition or c.relacl is not null
                or (select pg_catalog.string_agg(a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
                    from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0) <> 'resource text, token bigint');
    end if;

    if _found is not null then
        raise exception 'the fence is not installed: %', _found
            using errcode = 'insufficient_privilege',
            hint = 'Install it in a schema of your own where nobody else may create objects, or have what is there removed: '
                'create schema, revoke create on schema … from public, drop function, drop table.';
    end if;
end
$check$;

-- The greatest token that was seen of each resource. Rows are never deleted: a deleted one would let every token pass.
create table if not exists lease_fence_token
(
    resource text collate "C" primary key,
    token    bigint not null
);

do $install$
begin
    -- With its owner's rights, so that those who write the guarded table cannot set tokens by hand; and with a search path
    -- that nobody's temporary table comes before.
    execute format($create$
create or replace function lease_fence(resource text, token bigint) returns void
    language plpgsql security definer set search_path = pg_catalog, %I, pg_temp as
$body$
#variable_conflict use_column
declare
    _seen bigint;
    _is_admitted boolean := false;
begin
    if lease_fence.resource is null or lease_fence.token is null or lease_fence.token not between 1 and 9007199254740991 then
        raise exception 'lease_fence takes a resource and a token from 1 to 9007199254740991, not (%%, %%)', lease_fence.resource, lease_fence.token
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

        if not _is_admitted then
            -- One at a time raises a resource's token. Whoever came second looks again, and may find it done.
            perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('lease_fence:' || lease_fence.resource, 0::bigint));
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
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('lease_fence:' || lease_fence_raise.resource, 0::bigint));
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
end
$install$;

revoke execute on function lease_fence(text, bigint), lease_fence_raise(text, bigint), lease_fence_reset(text, bigint) from public;
