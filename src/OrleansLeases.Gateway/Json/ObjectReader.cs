using System.Reflection;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLeases.Gateway.Json;

/// <summary>
/// Reads an object of a contract by the contract's own JSON metadata, so that a field added to a request is read without a change
/// here. The serializer would stop at the first thing that is wrong; this reports all of it.
/// </summary>
/// <typeparam name="T">The contract: a class with init-only properties.</typeparam>
internal sealed class ObjectReader<T>
    where T : class
{
    private readonly FieldNames _names;
    private readonly FieldSetter[] _setters;
    private readonly int _besideCount;

    /// <param name="contract">The fields and their types.</param>
    /// <param name="beside">Fields that the object has besides the contract's: required texts.</param>
    /// <exception cref="NotSupportedException">A field has a type that no body has had so far.</exception>
    public ObjectReader(JsonTypeInfo contract, params string[] beside)
    {
        var required = contract.Properties.Where(property => property.IsRequired).ToArray();
        var optional = contract.Properties.Except(required).ToArray();
        _names = new FieldNames(
            [.. beside, .. required.Select(property => property.Name)], [.. optional.Select(property => property.Name)]);
        _setters = [.. required.Concat(optional).Select(SetterOf)];
        _besideCount = beside.Length;
    }

    private delegate void FieldSetter(T target, ref FieldReader body, string name);

    private delegate TValue ValueReader<TValue>(ref FieldReader body, string name);

    /// <summary>Reads the object that the reader has stepped into, to its end.</summary>
    /// <returns>The object, of use only where the reader has no errors.</returns>
    public T Read(ref FieldReader body) => Read(ref body, []);

    /// <summary>As <see cref="Read(ref FieldReader)"/>, with the fields beside the contract's.</summary>
    /// <param name="body">The reader.</param>
    /// <param name="beside">Where to put them: as many as there are.</param>
    public T Read(ref FieldReader body, scoped Span<string?> beside)
    {
        // Required members bind who writes `new`; here the reader asks for them.
        var target = Activator.CreateInstance<T>();
        uint seen = 0;
        for (var index = body.Next(_names, ref seen); index >= 0; index = body.Next(_names, ref seen))
        {
            if (index < _besideCount) beside[index] = body.Text(_names[index]);
            else _setters[index - _besideCount](target, ref body, _names[index]);
        }

        return target;
    }

    /// <summary>Sets a property. Generated metadata sets no init-only one; the property itself does, and without boxing.</summary>
    public static Action<T, TValue> DelegateOf<TValue>(JsonPropertyInfo property) =>
        ((PropertyInfo)property.AttributeProvider!).SetMethod!.CreateDelegate<Action<T, TValue>>();

    private static FieldSetter SetterOf(JsonPropertyInfo property)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (type == typeof(string)) return OfClass(property, static (ref FieldReader body, string name) => body.Text(name));
        if (type == typeof(long)) return OfStruct(property, static (ref FieldReader body, string name) => body.Integer(name));
        if (type == typeof(int)) return OfStruct(property, static (ref FieldReader body, string name) => body.Count(name));
        if (type == typeof(bool)) return OfStruct(property, static (ref FieldReader body, string name) => body.Boolean(name));
        if (type == typeof(TimeSpan)) return OfStruct(property, static (ref FieldReader body, string name) => body.Milliseconds(name));
        if (type.IsEnum) return OfType(nameof(OfWord), type, property);
        if (type == typeof(IReadOnlyDictionary<string, string>))
            return OfClass<IReadOnlyDictionary<string, string>>(property, static (ref FieldReader body, string name) => body.Texts(name));
        return property.Options.GetTypeInfo(type) switch
        {
            { Kind: JsonTypeInfoKind.Object } => OfType(nameof(OfObject), type, property),
            { ElementType: { } item } when property.Options.GetTypeInfo(item).Kind == JsonTypeInfoKind.Object =>
                OfType(nameof(OfList), item, property),
            _ => throw new NotSupportedException($"No body can have a field such as {property.Name} of {typeof(T)}: {type} has no reader."),
        };
    }

    private static FieldSetter OfWord<TEnum>(JsonPropertyInfo property)
        where TEnum : struct, Enum =>
        OfStruct(property, static (ref FieldReader body, string name) => body.Word<TEnum>(name));

    private static FieldSetter OfObject<TObject>(JsonPropertyInfo property)
        where TObject : class
    {
        var reader = new ObjectReader<TObject>(property.Options.GetTypeInfo(typeof(TObject)));
        return OfClass(property, (ref FieldReader body, string name) => body.Object(name, reader));
    }

    private static FieldSetter OfList<TItem>(JsonPropertyInfo property)
        where TItem : class
    {
        var reader = new ObjectReader<TItem>(property.Options.GetTypeInfo(typeof(TItem)));
        return OfClass<IReadOnlyList<TItem>>(property, (ref FieldReader body, string name) => body.List(name, reader));
    }

    private static FieldSetter OfClass<TValue>(JsonPropertyInfo property, ValueReader<TValue?> read)
        where TValue : class
    {
        var set = DelegateOf<TValue?>(property);
        return (T target, ref FieldReader body, string name) => set(target, read(ref body, name));
    }

    private static FieldSetter OfStruct<TValue>(JsonPropertyInfo property, ValueReader<TValue?> read)
        where TValue : struct
    {
        if (property.PropertyType == typeof(TValue?))
        {
            var setNullable = DelegateOf<TValue?>(property);
            return (T target, ref FieldReader body, string name) => setNullable(target, read(ref body, name));
        }

        var set = DelegateOf<TValue>(property);
        return (T target, ref FieldReader body, string name) => set(target, read(ref body, name).GetValueOrDefault());
    }

    private static FieldSetter OfType(string method, Type type, JsonPropertyInfo property) =>
        typeof(ObjectReader<T>).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(type).CreateDelegate<Func<JsonPropertyInfo, FieldSetter>>()(property);
}
