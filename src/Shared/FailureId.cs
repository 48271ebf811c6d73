using System.Security.Cryptography;

namespace OrleansLeases;

/// <summary>
/// Joins what the log says of a failure to the error that a caller receives. What went wrong inside, an exception's text or its
/// stack, is for the log: it helps a caller little and an attacker much.
/// </summary>
internal static class FailureId
{
    /// <summary>Makes one: 8 hexadecimal digits.</summary>
    public static string New() => RandomNumberGenerator.GetHexString(8, lowercase: true);
}
