using OrleansLeases.Testing.Load;

namespace OrleansLeases.Torture.Checking;

/// <summary>How many took themselves for holders of a shared lease at once.</summary>
internal static class Sharing
{
    /// <summary>Looks for moments at which more believed to hold than may, and for tokens that came twice.</summary>
    public static IEnumerable<string> FindFaults(IEnumerable<Ledger.Tenure> tenures, int capacity)
    {
        foreach (var ofResource in tenures.GroupBy(tenure => tenure.Resource))
        {
            foreach (var same in ofResource.GroupBy(tenure => tenure.Token).Where(same => same.Count() > 1))
                yield return $"A token was granted twice: {string.Join(", and ", same)}.";

            List<Ledger.Tenure> holders = [];
            foreach (var tenure in ofResource.Where(tenure => tenure.From < tenure.Until).OrderBy(tenure => tenure.From))
            {
                holders.RemoveAll(holder => holder.Until <= tenure.From);
                holders.Add(tenure);
                if (holders.Count > capacity) yield return $"More than {capacity} held at once: {string.Join(", and ", holders)}.";
            }
        }
    }
}
