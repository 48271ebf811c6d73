using System.Globalization;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans;
using Orleans.Configuration;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>
/// What Orleans' ADO.NET provider does for reminders, on a data source, which that does not take: the same table in the same form,
/// so that silos of either kind share the reminders.
/// </summary>
internal sealed class DataSourceReminderTable(LeaseDatabase database, IOptions<ClusterOptions> cluster) : IReminderTable
{
    private const string Select =
        "select GrainId, ReminderName, StartTime, Period, Version from OrleansRemindersTable where ServiceId = $1";

    public Task<ReminderTableData> ReadRows(GrainId grainId) => ReadAsync(" and GrainId = $2", grainId.ToString());

    // The range goes round the ring of hashes, which the table has as signed numbers.
    public Task<ReminderTableData> ReadRows(uint begin, uint end) =>
        ReadAsync(
            (int)begin < (int)end ? " and GrainHash > $2 and GrainHash <= $3" : " and (GrainHash > $2 or GrainHash <= $3)", (int)begin,
            (int)end);

    public async Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName) =>
        (await ReadAsync(" and GrainId = $2 and ReminderName = $3", grainId.ToString(), reminderName)).Reminders.SingleOrDefault();

    public async Task<string?> UpsertRow(ReminderEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var version = await ExecuteAsync(
            """
            insert into OrleansRemindersTable as r (ServiceId, GrainId, ReminderName, StartTime, Period, GrainHash, Version)
            values ($1, $2, $3, $4, $5, $6, 0)
            on conflict (ServiceId, GrainId, ReminderName) do update
                set StartTime = excluded.StartTime, Period = excluded.Period, GrainHash = excluded.GrainHash, Version = r.Version + 1
            returning Version
            """,
            entry.GrainId.ToString(),
            entry.ReminderName,
            DateTime.SpecifyKind(entry.StartAt, DateTimeKind.Utc),
            (long)entry.Period.TotalMilliseconds,
            (int)entry.GrainId.GetUniformHashCode());
        return ((int)version!).ToString(CultureInfo.InvariantCulture);
    }

    public async Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag) =>
        await ExecuteAsync(
            "delete from OrleansRemindersTable where ServiceId = $1 and GrainId = $2 and ReminderName = $3 and Version = "
                + "$4 returning Version",
            grainId.ToString(),
            reminderName,
            int.Parse(eTag, CultureInfo.InvariantCulture)) is not null;

    public Task TestOnlyClearTable() => ExecuteAsync("delete from OrleansRemindersTable where ServiceId = $1");

    private async Task<ReminderTableData> ReadAsync(string where, params object[] values)
    {
        await using var command = Command(Select + where, values);
        await using var reader = await command.ExecuteReaderAsync();
        var entries = new List<ReminderEntry>();
        while (await reader.ReadAsync())
        {
            entries.Add(new()
            {
                GrainId = GrainId.Parse(reader.GetString(0)),
                ReminderName = reader.GetString(1),
                StartAt = reader.GetDateTime(2),
                Period = TimeSpan.FromMilliseconds(reader.GetInt64(3)),
                ETag = reader.GetInt32(4).ToString(CultureInfo.InvariantCulture),
            });
        }

        return new(entries);
    }

    private async Task<object?> ExecuteAsync(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteScalarAsync();
    }

    private NpgsqlCommand Command(string sql, object[] values)
    {
        var command = database.Source.CreateCommand(sql);
        foreach (var value in values.Prepend(cluster.Value.ServiceId)) command.Parameters.Add(new() { Value = value });
        return command;
    }
}
