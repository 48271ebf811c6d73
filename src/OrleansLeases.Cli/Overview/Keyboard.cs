namespace OrleansLeases.Cli.Overview;

/// <summary>The keys of the terminal, where there is one to type at.</summary>
internal static class Keyboard
{
    /// <summary>Calls back once when a key is pressed, on a thread of its own.</summary>
    public static void OnKey(char key, Action pressed)
    {
        if (Console.IsInputRedirected) return;
        new Thread(Wait) { Name = "leases: keyboard", IsBackground = true }.Start();

        void Wait()
        {
            while (Console.ReadKey(intercept: true).KeyChar != key)
            {
                // Another one.
            }

            pressed();
        }
    }
}
