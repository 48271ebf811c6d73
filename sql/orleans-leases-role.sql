-- The role that silos run as: it reads and writes what they keep, owns nothing, and cannot change the schema. The owner of the schema
-- applies it after orleans-leases.sql, and again after each newer version of that. `leases-silo migrate --grant leases_silo` does
-- both; by hand:
--
--     psql --single-transaction --set ON_ERROR_STOP=1 --command "set leases.role = 'leases_silo'" \
--         --file orleans-leases.sql --file orleans-leases-role.sql
--
-- It may be applied again at any time, and leaves the role with these rights and no others on what is in the schema of leases. A role
-- that there is not is made, without a password; an owner who may not make roles has it made first: create role leases_silo login.

select pg_advisory_xact_lock(hashtext('orleans-leases schema'));

do $$
declare
    _role      name := coalesce(nullif(current_setting('leases.role', true), ''), 'leases_silo');
    _schema    name := current_schema();
    _space     oid := quote_ident(current_schema())::regnamespace;
    _tables    text[] := array['lease_meta', 'lease_record', 'lease_log', 'lease_floor', 'leases', 'lease_keys',
                               'OrleansQuery', 'OrleansMembershipVersionTable', 'OrleansMembershipTable', 'OrleansRemindersTable'];
    _functions text[] := array['lease_name', 'writetostorage', 'readfromstorage', 'load_lease_records', 'save_lease_records',
                               'store_lease_records', 'drop_lease_records', 'take_back_lease_records', 'lease_idle', 'lease_fingerprint', 'insert_membership', 'update_membership'];
    _found     text;
begin
    if to_regclass('lease_meta') is null then
        raise exception 'there is no schema of leases where the search path leads; apply orleans-leases.sql first';
    end if;

    if not exists (select from pg_roles where rolname = _role) then
        begin
            execute format('create role %I login', _role);
        exception
            -- By somebody else at this moment: roles are the whole server's.
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then
                raise exception 'there is no role %, and % may not make one; have it made first: create role % login',
                    _role, current_user, quote_ident(_role) using errcode = 'insufficient_privilege';
        end;
    end if;

    -- What it could do to the schema whatever is granted below.
    select case
        when rolsuper then 'it is a superuser'
        when exists (select from pg_class where relnamespace = _space and pg_has_role(_role, relowner, 'member'))
            or exists (select from pg_proc where pronamespace = _space and pg_has_role(_role, proowner, 'member'))
            then format('some of what is in the schema %I belongs to it, or to a role that it is a member of', _schema)
        when has_schema_privilege(_role, _schema, 'create')
            then format('it, or everybody, may create objects in the schema %I (revoke create on schema %I from public)', _schema, _schema)
        end
    into _found from pg_roles where rolname = _role;
    if _found is not null then
        raise exception 'the role % could change the schema of leases: %; take that away from it, or let silos run as another role',
            _role, _found using errcode = 'insufficient_privilege';
    end if;

    execute format('grant usage on schema %I to %I', _schema, _role);
    execute (select string_agg(format('revoke all on %s from %I', to_regclass(part), _role), '; ') from unnest(_tables) part);
    execute (select string_agg(format('grant execute on function %s to %I', to_regproc(part), _role), '; ') from unnest(_functions) part);
    execute (
        select string_agg(format('grant %s on %s to %I', rights, to_regclass(part), _role), '; ')
        from unnest(_tables) part,
            lateral (select case
                -- The schema is the owner's to change, and the restore epoch the operator's.
                when part in ('lease_meta', 'OrleansQuery', 'leases', 'lease_keys') then 'select'
                -- What is deleted here would be forgotten with its token counter: functions of the owner's drop records, and raise floors.
                when part = 'lease_floor' then 'select'
                when part in ('lease_record', 'lease_log', 'OrleansMembershipVersionTable') then 'select, insert, update'
                else 'select, insert, update, delete' end) granted (rights));
end
$$;
