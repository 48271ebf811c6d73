namespace OrleansLeases.Core;

/// <summary>What a call was about, for its audit.</summary>
/// <param name="Name">The resource or key.</param>
/// <param name="Owner">The owner of the lease, where the call is about one.</param>
/// <param name="Token">Its token, where it is known.</param>
internal readonly record struct AuditSubject(string? Name, string? Owner = null, long? Token = null);
