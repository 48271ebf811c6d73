namespace OrleansLeases.Client.Holding;

/// <summary>What keeps a lease from being renewed.</summary>
internal static class Troubles
{
    /// <summary>Whether the credential is at fault, or what it may do: only a person mends that.</summary>
    public static bool IsForLackOfRights(this Refusal refusal) => refusal is Refusal.Unauthorized or Refusal.Forbidden;

    /// <summary>The detail, led by what kind of refusal it is where its sentence may leave that out.</summary>
    public static string Told(this Refusal refusal) =>
        refusal.IsForLackOfRights() ? $"{RefusalConverter.WordOf(refusal.Code)}: {refusal.Detail}" : refusal.Detail;
}
