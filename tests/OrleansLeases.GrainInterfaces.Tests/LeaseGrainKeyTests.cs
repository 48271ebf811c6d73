using System.Reflection;
using Orleans;

namespace OrleansLeases.GrainInterfaces.Tests;

public sealed class LeaseGrainKeyTests
{
    [Theory]
    [InlineData("orders/17")]
    [InlineData("cafe")]
    [InlineData("20235")]
    [InlineData("r:r:")]
    [InlineData("")]
    [InlineData("東京/🔑")]
    public void ResourceOf_TheKeyOfAResource_IsTheResource(string resource) =>
        Assert.Equal(resource, LeaseGrainKey.ResourceOf(LeaseGrainKey.Of(resource)));

    [Theory]
    [InlineData("cafe")]
    [InlineData("20235")]
    [InlineData("6f9619ff-8b86-d011-b42d-00c04fc964ff")]
    public void Of_WhateverTheName_ReadsAsNoNumberAndNoGuid(string resource)
    {
        var key = LeaseGrainKey.Of(resource);

        Assert.False(Guid.TryParse(key, out _));
        Assert.False(Uri.IsHexDigit(key[0]));
    }

    [Theory]
    [InlineData("orders")]
    [InlineData("R:orders")]
    [InlineData("")]
    public void ResourceOf_AForeignKey_SaysHowToGetTheGrain(string key)
    {
        var error = Assert.Throws<ArgumentException>(() => LeaseGrainKey.ResourceOf(key));

        Assert.Contains($"'{key}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(LeaseGrainFactoryExtensions.GetLease), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void GetLease_OfAResource_AsksForItsKey()
    {
        var factory = DispatchProxy.Create<IGrainFactory, AskedFactory>();

        factory.GetLease("orders");

        Assert.Equal((typeof(ILeaseGrain), "r:orders"), ((AskedFactory)factory).Asked);
    }

    [Fact]
    public void GetLease_WithoutAName_IsRefusedAtOnce() =>
        Assert.Throws<ArgumentNullException>(() => DispatchProxy.Create<IGrainFactory, AskedFactory>().GetLease(null!));

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
