using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Properties;

/// <summary>
/// Handles on a network that delays, loses, doubles and reorders calls and answers, on a machine that sleeps and whose
/// clocks step, stand still and run slow; over one way to the service, or over HTTP with two servers. Whatever happens, a lease that
/// its handle calls valid is in force at the service.
/// </summary>
public sealed class HandlesOnBadNetworks
{
    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    public void Handle_WhateverHappens_IsNeverValidLongerThanItsLeaseIsInForce(bool countsSleep, int servers)
    {
        var (valid, lost, histories) = (0, 0, 0);
        Runs.Check(150, 150, servers == 1 ? HandleWorld.Kinds : HandleWorld.KindsOfSeveralServers, history =>
        {
            var world = new HandleWorld(countsSleep, servers);
            foreach (var step in history) world.Take(step);
            world.Finish();
            (valid, lost, histories) = (valid + world.SeenValid, lost + world.SeenLost, histories + 1);
        });

        Assert.True(valid > 20 * histories, $"Leases were seen valid {valid} times in {histories} histories: that shows too little.");
        Assert.True(lost > histories, $"{lost} leases lost in {histories} histories show too little.");
    }
}
