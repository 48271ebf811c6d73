namespace OrleansLeases.Simulation;

/// <summary>Where a search for a planted defect begins.</summary>
internal static class PlantedSeeds
{
    /// <summary>A seed not far before one that shows the defect: what some need is rare.</summary>
    public static int NearWhereItShows(Planted planted) => planted switch
    {
        Planted.WrongClocksCount => 38,
        Planted.TimesForgotten => 15,
        Planted.FloorsComeLate => 8,
        Planted.SiloUnwatched or Planted.LateLooks => 6,
        Planted.DropsCompareNoVersions => 4,
        Planted.HoldsForgotten => 2,
        _ => 1,
    };
}
