using System.Reflection;

namespace OrleansLeases.Conformance;

/// <summary>Finds the suites that an implementation does not run.</summary>
public static class Completeness
{
    /// <summary>Every suite there is.</summary>
    public static IReadOnlyList<Type> Suites { get; } =
        [.. typeof(Completeness).Assembly.GetTypes().Where(
            type => type.IsAbstract && type.IsGenericTypeDefinition && BasesOf(type).Any(IsLeaseSuite))];

    /// <summary>Names every suite that some implementation of an assembly lacks, and every test class that is no suite's.</summary>
    /// <param name="assembly">An assembly with worlds and the suites' concrete classes.</param>
    /// <returns>What is missing; empty where nothing is.</returns>
    public static IReadOnlyList<string> MissingFrom(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        var concrete = assembly.GetTypes().Where(type => type is { IsClass: true, IsAbstract: false }).ToList();
        var run = concrete.SelectMany(BasesOf).ToHashSet();
        return
        [
            .. from world in concrete.Where(type => type.IsSubclassOf(typeof(LeaseWorld)))
               from suite in Suites
               where !run.Contains(suite.MakeGenericType(world))
               select $"{world.Name} does not run {suite.Name}",
        ];
    }

    private static IEnumerable<Type> BasesOf(Type type)
    {
        for (var parent = type.BaseType; parent is not null; parent = parent.BaseType) yield return parent;
    }

    private static bool IsLeaseSuite(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(LeaseSuite<>);
}
