-- The fence on the resource's side: install it where the table is that leases guard, with
--   psql -v ON_ERROR_STOP=1 -f sql/lease-fence.sql
-- in the schema that comes first in the search path, or by LeaseFence.InstallAsync. It may be applied again at any time.
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
    language plpgsql security definer set search_path = %I, pg_temp as
$body$
#variable_conflict use_column
declare
    _seen bigint;
    _at_the_door boolean := false;
begin
    if lease_fence.resource is null or lease_fence.token is null or lease_fence.token < 1 then
        raise exception 'lease_fence takes a resource and a token from 1, not (%%, %%)', lease_fence.resource, lease_fence.token
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

        if not _at_the_door then
            -- One at a time raises a resource's token. Whoever came second looks again, and may find it done.
            perform pg_advisory_xact_lock(hashtextextended('lease_fence:' || lease_fence.resource, 0));
            _at_the_door := true;
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
    language plpgsql security definer set search_path = %I, pg_temp as
$body$
#variable_conflict use_column
begin
    -- In line behind whoever is about to raise it. A lock on a row is given to all who come to share it, past those who
    -- wait to change the row: so many holders that come one after the other would keep a greater token out for ever.
    perform pg_advisory_xact_lock(hashtextextended('lease_fence:' || lease_fence_raise.resource, 0));
    if (select token from lease_fence_token where resource = lease_fence_raise.resource) = lease_fence_raise.token then
        return;
    end if;

    perform lease_fence(lease_fence_raise.resource, lease_fence_raise.token);
end
$body$
$create$, current_schema());
end
$install$;
