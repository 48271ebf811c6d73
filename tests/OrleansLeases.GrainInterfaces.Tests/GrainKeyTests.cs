using System.Reflection;
using Orleans;

namespace OrleansLeases.GrainInterfaces.Tests;

public sealed class GrainKeyTests
{
    [Theory]
    [InlineData("orders/17")]
    [InlineData("cafe")]
    [InlineData("20235")]
    [InlineData("r:r:")]
    [InlineData("")]
    [InlineData("東京/🔑")]
    public void NameOf_TheKeyOfAName_IsTheName(string name)
    {
        Assert.Equal(name, LeaseGrainKey.ResourceOf(LeaseGrainKey.Of(name)));
        Assert.Equal(name, KeyGrainKey.NameOf(KeyGrainKey.Of(name)));
    }

    [Theory]
    [InlineData("cafe")]
    [InlineData("20235")]
    [InlineData("6f9619ff-8b86-d011-b42d-00c04fc964ff")]
    public void Of_WhateverTheName_ReadsAsNoNumberAndNoGuid(string name) => Assert.All(
        [LeaseGrainKey.Of(name), KeyGrainKey.Of(name)],
        key =>
        {
            Assert.False(Guid.TryParse(key, out _));
            Assert.False(Uri.IsHexDigit(key[0]));
        });

    [Fact]
    public void Of_AResourceAndAKeyOfOneName_Differ() => Assert.NotEqual(LeaseGrainKey.Of("a"), KeyGrainKey.Of("a"));

    [Theory]
    [InlineData("orders")]
    [InlineData("R:orders")]
    [InlineData("k:orders")]
    [InlineData("")]
    public void ResourceOf_AForeignKey_SaysHowToGetTheGrain(string key)
    {
        var error = Assert.Throws<ArgumentException>(() => LeaseGrainKey.ResourceOf(key));

        Assert.Contains($"'{key}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(LeaseGrainFactoryExtensions.GetLease), error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("orders")]
    [InlineData("K:orders")]
    [InlineData("r:orders")]
    [InlineData("")]
    public void NameOf_AForeignKey_SaysHowToGetTheGrain(string key)
    {
        var error = Assert.Throws<ArgumentException>(() => KeyGrainKey.NameOf(key));

        Assert.Contains($"'{key}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(LeaseGrainFactoryExtensions.GetKey), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void GetLease_OfAResource_AsksForItsKey() =>
        Assert.Equal((typeof(ILeaseGrain), "r:orders"), Asked(factory => factory.GetLease("orders")));

    [Fact]
    public void GetKey_OfAName_AsksForItsKey() => Assert.Equal((typeof(IKeyGrain), "k:orders"), Asked(factory => factory.GetKey("orders")));

    [Fact]
    public void Get_WithoutAName_IsRefusedAtOnce()
    {
        Assert.Throws<ArgumentNullException>(() => Asked(factory => factory.GetLease(null!)));
        Assert.Throws<ArgumentNullException>(() => Asked(factory => factory.GetKey(null!)));
    }

    private static (Type Grain, string? Key) Asked(Action<IGrainFactory> ask)
    {
        var factory = DispatchProxy.Create<IGrainFactory, AskedFactory>();
        ask(factory);
        return ((AskedFactory)factory).Asked;
    }

    /// <summary>Remembers which grain was asked for.</summary>
    public class AskedFactory : DispatchProxy
    {
        internal (Type Grain, string? Key) Asked { get; private set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Asked = (targetMethod!.GetGenericArguments()[0], args![0] as string);
            return null;
        }
    }
}
