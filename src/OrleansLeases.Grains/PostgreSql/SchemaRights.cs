using Npgsql;

namespace OrleansLeases.Grains;

/// <summary>What the role of a silo may do, compared at its start: a right that is missing would show as late as it is needed.</summary>
internal static class SchemaRights
{
    /// <summary>Looks whether a connection's role has all that a silo needs of what there is.</summary>
    /// <exception cref="InvalidOperationException">It lacks something; the message has the remedy.</exception>
    public static async Task CheckAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // What sql/orleans-leases-role.sql grants. A part that is missing is for the check of the schema.
        await using var command = new NpgsqlCommand(
            """
            select current_user, string_agg(format('%s on %s', lacking, part), ', ' order by part, lacking)
            from (
                select part, lacking
                from (values
                    ('lease_meta', 'select'), ('orleansquery', 'select'),
                    ('lease_record', 'select,insert,update'), ('lease_log', 'select,insert,update'), ('lease_floor', 'select'),
                    ('orleansmembershipversiontable', 'select,insert,update'),
                    ('orleansmembershiptable', 'select,insert,update,delete'),
                    ('orleansreminderstable', 'select,insert,update,delete')) needed (part, rights),
                    string_to_table(rights, ',') lacking
                where not has_table_privilege(to_regclass(part), lacking)
                union all
                select part, 'execute'
                from unnest(array['lease_name', 'writetostorage', 'readfromstorage', 'load_lease_records', 'save_lease_records',
                    'store_lease_records', 'drop_lease_records', 'take_back_lease_records', 'lease_idle',
                    'lease_fingerprint', 'insert_membership', 'update_membership']) part
                where not has_function_privilege(to_regproc(part), 'execute')) missing
            """,
            connection);
        await using var found = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await found.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (await found.IsDBNullAsync(1, cancellationToken).ConfigureAwait(false)) return;
        var (role, lacking) = (found.GetString(0), found.GetString(1));
        throw new InvalidOperationException(
            $"The role '{role}' lacks {lacking} in the database '{connection.Database}'. Run 'leases-silo migrate --grant {role}', call "
            + "LeaseSchema.GrantAsync, or apply sql/orleans-leases-role.sql with psql, as the owner of the schema.");
    }
}
