using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>How records get into the rows of <c>lease_record</c> and out of them. Thread-safe; it throws what the database does.</summary>
internal interface IRecordRows
{
    /// <summary>Whether <see cref="AddOrLoadAsync"/> can be called.</summary>
    bool CanAddOrLoad => false;

    /// <summary>Reads a record.</summary>
    /// <returns>Null where there is none.</returns>
    Task<LoadedRecord?> LoadAsync(RecordKind kind, string name);

    /// <summary>
    /// Writes a record if the stored version is still the one that <see cref="StoredRecord.Tag"/> of the previous one names, and the
    /// stored epoch the one given; and then sets the tag of the next.
    /// </summary>
    /// <returns>Whether it was written.</returns>
    Task<bool> SaveAsync(int epoch, StoredRecord previous, StoredRecord next, bool background);

    /// <summary>Writes a first record, and sets its tag, or reads the one that is there.</summary>
    /// <returns>
    /// Whether it was written, and else what is there instead; null where that is not known, as under another epoch.
    /// </returns>
    Task<(bool Saved, StoredRecord? Found)> AddOrLoadAsync(int epoch, StoredRecord first, bool background) =>
        throw new NotSupportedException();
}

/// <summary>A record with its tag, and the restore epoch of the database it was read from.</summary>
internal readonly record struct LoadedRecord(int Epoch, StoredRecord Record);
