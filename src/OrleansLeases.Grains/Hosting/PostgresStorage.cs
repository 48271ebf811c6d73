namespace OrleansLeases.Grains;

/// <summary>How the records of leases and keys get to PostgreSQL and back.</summary>
public enum PostgresStorage
{
    /// <summary>
    /// What the grains of a silo load and save at the same time goes to the database in one statement and one commit, each record with an
    /// outcome of its own.
    /// </summary>
    GroupCommit = 0,

    /// <summary>By Orleans' ADO.NET provider: a statement and a transaction for each record. It takes a connection string only.</summary>
    AdoNet = 1,
}
