namespace OrleansLeases.Gateway.Service;

/// <summary>How the service is.</summary>
/// <param name="Status"><c>live</c> or <c>ready</c>.</param>
internal sealed record Health(string Status);
