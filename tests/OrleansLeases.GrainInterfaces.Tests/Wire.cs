using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Orleans.Serialization.TypeSystem;

namespace OrleansLeases.GrainInterfaces.Tests;

/// <summary>Orleans' serializer and copier, as a silo or a client sets them up.</summary>
internal static class Wire
{
    private static readonly ServiceProvider Services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    private static Serializer Serializer => Services.GetRequiredService<Serializer>();

    /// <summary>Across, where both sides know the type, as for the argument of a call.</summary>
    public static T Cross<T>(T value) => Cross<T, T>(value);

    /// <summary>Across, from a peer whose type is not ours.</summary>
    public static TReceived Cross<TSent, TReceived>(TSent value) =>
        Serializer.Deserialize<TReceived>(Serializer.SerializeToArray(value))!;

    /// <summary>Across with the name of its type, as for a property that may hold anything.</summary>
    public static object CrossUntyped(object value) => Cross(value);

    /// <summary>As Orleans copies what stays in the silo.</summary>
    public static T Copy<T>(T value) => Services.GetRequiredService<DeepCopier>().Copy(value)!;

    /// <summary>The name under which a type crosses where the other side cannot expect it.</summary>
    public static string NameOf(Type type) => Services.GetRequiredService<TypeConverter>().Format(type);
}
