using System.Diagnostics;

namespace OrleansLeases.Client.Holding;

/// <summary>Which code of the application is calling, for people.</summary>
internal static class CallSite
{
    // With what stands between this library and the application: OrleansLeases.DistributedLock, and what that implements.
    private static readonly string[] Own =
        [typeof(CallSite).Assembly.GetName().Name!, "OrleansLeases.DistributedLock", "DistributedLock.Core"];

    /// <summary>
    /// The nearest caller outside of these libraries; null where the stack does not show it, as after an await of a recipe's.
    /// </summary>
    public static string? OfCaller()
    {
        foreach (var frame in new StackTrace(skipFrames: 1, fNeedFileInfo: false).GetFrames())
        {
            if (DiagnosticMethodInfo.Create(frame) is not { DeclaringAssemblyName: { } assembly } method) continue;
            var name = assembly.Split(',')[0];
            // What runs async methods stands in between.
            if (Own.Contains(name) || name.StartsWith("System.Private.", StringComparison.Ordinal)) continue;
            return NameOf(method.DeclaringTypeName, method.Name);
        }

        return null;
    }

    // An async method is the method MoveNext of a nested type: Jobs+<RunAsync>d__3.
    private static string NameOf(string? type, string method)
    {
        if (type is null) return method;
        var (start, end) = (type.LastIndexOf("+<", StringComparison.Ordinal), type.LastIndexOf('>'));
        return method == "MoveNext" && start >= 0 && end > start + 2 ? $"{type[..start]}.{type[(start + 2)..end]}" : $"{type}.{method}";
    }
}
